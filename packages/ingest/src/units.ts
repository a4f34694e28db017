/** A unit as it is written, with its dimension and the factor to that dimension's base unit. */
interface Unit {
  dimension: string;
  factor: number;
}

const units = new Map<string, Unit>();
const define = (dimension: string, list: Record<string, number>): void => {
  for (const [symbol, factor] of Object.entries(list)) units.set(symbol, { dimension, factor });
};
define('mass', {
  µg: 1e-9,
  ug: 1e-9,
  mg: 1e-6,
  g: 1e-3,
  kg: 1,
  t: 1000,
  lb: 0.45359237,
  lbs: 0.45359237,
  oz: 0.028349523125,
});
define('length', {
  nm: 1e-9,
  µm: 1e-6,
  um: 1e-6,
  mm: 1e-3,
  cm: 1e-2,
  m: 1,
  km: 1000,
  in: 0.0254,
  ft: 0.3048,
  mi: 1609.344,
  miles: 1609.344,
});
define('time', {
  ns: 1e-9,
  µs: 1e-6,
  us: 1e-6,
  ms: 1e-3,
  s: 1,
  sec: 1,
  min: 60,
  h: 3600,
  hr: 3600,
  hrs: 3600,
  hours: 3600,
  days: 86400,
});
define('volume', { ml: 1e-3, mL: 1e-3, cl: 1e-2, dl: 0.1, l: 1, L: 1 });
define('area', {
  'mm²': 1e-6,
  'cm²': 1e-4,
  'm²': 1,
  m2: 1,
  'km²': 1e6,
  km2: 1e6,
  ha: 1e4,
  sqft: 0.09290304,
  'sq ft': 0.09290304,
});
define('data', { B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, KiB: 1024, MiB: 2 ** 20, GiB: 2 ** 30 });
define('power', { mW: 1e-3, W: 1, kW: 1e3, MW: 1e6 });
define('energy', { J: 1, kJ: 1e3, MJ: 1e6, Wh: 3600, kWh: 3.6e6, cal: 4.184, kcal: 4184 });
define('pressure', { Pa: 1, hPa: 100, kPa: 1000, bar: 1e5, mbar: 100 });
define('frequency', { Hz: 1, kHz: 1e3, MHz: 1e6, GHz: 1e9 });
define('speed', { 'm/s': 1, 'km/h': 1 / 3.6, kmh: 1 / 3.6, mph: 0.44704 });
// No fixed factor joins these (temperatures have offsets), so they never convert into one another.
for (const alone of [
  '%',
  '‰',
  '°C',
  '°F',
  '°',
  'K',
  'V',
  'mV',
  'A',
  'mA',
  'dB',
  'rpm',
  'ppm',
  'ppb',
  'pH',
  'mmHg',
  'mg/dl',
  'mg/dL',
  'g/l',
  'g/L',
  'mg/l',
  'mg/L',
  'mmol/l',
  'mmol/L',
  'kg/m²',
  'kg/m3',
  'pcs',
  'years',
  'yrs',
])
  units.set(alone, { dimension: alone, factor: 1 });

const currencySymbols: Readonly<Record<string, string>> = {
  $: 'USD',
  '€': 'EUR',
  '£': 'GBP',
  '¥': 'JPY',
  '₹': 'INR',
  '₩': 'KRW',
  '₽': 'RUB',
  R$: 'BRL',
  US$: 'USD',
  '₺': 'TRY',
  zł: 'PLN',
  kr: 'SEK',
};
const currencyCodes = [
  'USD',
  'EUR',
  'GBP',
  'JPY',
  'CHF',
  'CNY',
  'INR',
  'KRW',
  'RUB',
  'BRL',
  'CAD',
  'AUD',
  'NZD',
  'SEK',
  'NOK',
  'DKK',
  'PLN',
  'CZK',
  'HUF',
  'TRY',
  'MXN',
  'ZAR',
  'SGD',
  'HKD',
];
for (const code of currencyCodes) units.set(code, { dimension: code, factor: 1 });
for (const [symbol, code] of Object.entries(currencySymbols))
  units.set(symbol, { dimension: code, factor: 1 });

/** Every way a unit may be written before or behind a number, longest first. */
export const unitSpellings: readonly string[] = [...units.keys()].sort(
  (a, b) => b.length - a.length || (a < b ? -1 : 1),
);

/** What may stand before a number: currencies alone ("s3" is a name, not three seconds). */
export const prefixSpellings: readonly string[] = unitSpellings.filter(
  (spelling) =>
    spelling !== 'kr' &&
    spelling !== 'zł' &&
    (currencySymbols[spelling] !== undefined || currencyCodes.includes(spelling)),
);

/** The unit's name for reports: a currency symbol becomes its code. */
export const unitName = (spelling: string): string => currencySymbols[spelling] ?? spelling;

/** How many of `to` one of `from` is; null when they measure different things. */
export function unitFactor(from: string, to: string): number | null {
  const a = units.get(from);
  const b = units.get(to);
  if (!a || !b || a.dimension !== b.dimension) return null;
  return a.factor / b.factor;
}

/** The unit that a header names: "height (cm)", "weight [kg]", "price, EUR", "temp_°C"; null without one. */
export function unitInHeader(header: string): string | null {
  const bracketed = /[([]\s*(?:in\s+)?([^()[\]]{1,12}?)\s*[)\]]\s*$/.exec(header)?.[1];
  if (bracketed !== undefined) {
    const plain = bracketed.replace(/^in\s+/, '');
    if (units.has(plain)) return unitName(plain);
    // A short bracket that is no known unit still is one when it looks like a compound ("mg/day", "kg*m^2").
    return /^[A-Za-zµ°%Ω]{1,6}([/*·^][A-Za-zµ0-9²³-]{1,5})+$/.test(plain) ? plain : null;
  }
  const tail = /(?:,\s*|\s+in\s+)(\S{1,8})$/.exec(header)?.[1];
  if (tail !== undefined && units.has(tail)) return unitName(tail);
  // After an underscore only what no ordinary word or name part is spelled like.
  const suffix = /_(cm|mm|km|kg|mg|ms|kWh|kW|MHz|GHz|USD|usd|EUR|eur|GBP|gbp|°C|mmHg|g|pct|percent)$/.exec(
    header,
  )?.[1];
  if (suffix === undefined) return null;
  if (suffix === 'pct' || suffix === 'percent') return '%';
  return /^(usd|eur|gbp)$/.test(suffix) ? suffix.toUpperCase() : suffix;
}

/** A cell of a units row under the header, such as "(kg)" or "cm"; null when it is none. */
export function unitInCell(cell: string): string | null {
  const inner = cell.trim().replace(/^[([]\s*(.*?)\s*[)\]]$/, '$1');
  return units.has(inner) ? unitName(inner) : null;
}
