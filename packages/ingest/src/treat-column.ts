import { type CleanOptions, VgpuError } from '@vgpu/core';
import { resolveClean } from './clean-options.ts';
import type { ColumnReading } from './column-reading.ts';
import { duckType, sqlReal, sqlText } from './column-sql.ts';
import type { LoadedRows } from './loaded-rows.ts';
import type { ColumnPlan, ColumnStats } from './result.ts';
import { standInWarning } from './stand-in.ts';
import type { MeasuredColumn } from './statistics.ts';

export interface Treatment {
  plan: ColumnPlan;
  /** SQL of the column's final value. */
  final: string;
  /** Its cases: what is left as it is, and SQL of the values that others become; for numbers alone. */
  cases: { same: string; others: { where: string; value: string }[] };
  imputed: number;
  warnings: string[];
}

export interface TreatedColumn {
  /** Its place among the loaded columns. */
  index: number;
  name: string;
  reading: ColumnReading;
  target: boolean;
  stats: ColumnStats;
  numbers: MeasuredColumn['numbers'];
  missing: number;
  rows: number;
}

const isNumeric = (reading: ColumnReading): boolean =>
  reading.type === 'integer' || reading.type === 'number';

/** Texts that repeat are categories and can take their mode; texts that are mostly distinct cannot. */
export const isCategory = (stats: ColumnStats): boolean =>
  stats.distinct <= Math.max(20, Math.sqrt(stats.count));

/** Whole numbers that count the rows have no outliers. */
function isRowNumber({ reading, stats }: TreatedColumn): boolean {
  const { numeric } = stats;
  return (
    reading.type === 'integer' &&
    numeric !== undefined &&
    numeric.max - numeric.min + 1 === stats.count &&
    stats.distinct >= stats.count * 0.9
  );
}

async function clipBounds(column: TreatedColumn, options: CleanOptions): Promise<ColumnPlan['clip']> {
  const { clip } = resolveClean(options, column.name, column.target);
  if (clip === 'none' || !column.numbers) return null;
  // A global rule would flatten flags and counts of a few values (a rare 1 among zeros); one's own rule counts.
  const byRule = options.columns?.[column.name]?.clip === undefined;
  if (byRule && column.stats.distinct <= 10) return null;
  if (byRule && isRowNumber(column)) return null;
  let bounds: { min: number | null; max: number | null };
  if (Array.isArray(clip)) {
    const { p01, p99 } = column.numbers.summary;
    const known = clip[0] === 0.01 && clip[1] === 0.99;
    const [min, max] = known ? [p01, p99] : await column.numbers.quantiles(clip);
    bounds = { min: min!, max: max! };
  } else if ('iqr' in clip) {
    const { p25, p75 } = column.numbers.summary;
    if (p75 === p25) return null;
    bounds = { min: p25 - clip.iqr * (p75 - p25), max: p75 + clip.iqr * (p75 - p25) };
  } else bounds = { min: clip.min ?? null, max: clip.max ?? null };
  if (column.reading.type === 'integer') {
    bounds = {
      min: bounds.min === null ? null : Math.ceil(bounds.min),
      max: bounds.max === null ? null : Math.floor(bounds.max),
    };
    if (bounds.min !== null && bounds.max !== null && bounds.min > bounds.max) return null;
  }
  return bounds;
}

/** A constant as a value of the column's type; throws where it cannot be one and was asked for by name. */
function constantFor(
  column: TreatedColumn,
  value: string | number | undefined,
  byName: boolean,
): string | number | null {
  const refuse = (problem: string): null => {
    if (byName) throw new VgpuError('BAD_SPEC', { path: `clean.columns.${column.name}.value`, problem });
    return null;
  };
  if (value === undefined)
    throw new VgpuError('BAD_SPEC', {
      path: byName ? `clean.columns.${column.name}.value` : 'clean.value',
      problem: 'impute: constant needs a value',
    });
  const { type } = column.reading;
  if (type === 'integer' || type === 'number') {
    const number = Number(value);
    if (String(value).trim() === '' || !Number.isFinite(number))
      return refuse(`"${value}" is not a number, and the column holds numbers`);
    return type === 'integer' && !Number.isInteger(number)
      ? refuse(`${value} is not a whole number, and the column holds whole numbers`)
      : number;
  }
  if (type === 'text') return String(value);
  if (type === 'boolean')
    return /^(true|false)$/.test(String(value))
      ? String(value)
      : refuse(`"${value}" is neither true nor false`);
  return /^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?$/.test(String(value))
    ? String(value)
    : refuse(`"${value}" is not a date like 2026-01-31`);
}

async function fillFor(
  table: LoadedRows,
  column: TreatedColumn,
  options: CleanOptions,
  clip: ColumnPlan['clip'],
): Promise<{ impute: ColumnPlan['impute']; fill: string | number | null; note: string | null }> {
  const { reading, stats } = column;
  const { impute, value } = resolveClean(options, column.name, column.target);
  const none = (note: string | null) => ({ impute: 'none' as const, fill: null, note });
  if (impute === 'none') return none(null);
  const byName = options.columns?.[column.name]?.impute !== undefined;
  if (impute === 'constant') {
    const fill = constantFor(column, value, byName);
    return fill === null
      ? none(`the constant does not fit a column of type ${reading.type}`)
      : { impute, fill, note: null };
  }
  if (stats.count === 0) return none('every value is missing');
  if (column.numbers && impute !== 'mode') {
    const { summary } = column.numbers;
    const beyond =
      reading.type === 'integer' &&
      Math.max(Math.abs(summary.min), Math.abs(summary.max)) > Number.MAX_SAFE_INTEGER;
    if (beyond) return none('its integers are beyond what can be averaged exactly');
    const mean = impute === 'mean';
    const centre = mean
      ? (await column.numbers.treated({ clip, fill: null, missing: 0 })).numeric.mean
      : summary.median;
    return {
      impute: mean ? 'mean' : 'median',
      fill: reading.type === 'integer' ? Math.round(centre) : centre,
      note: null,
    };
  }
  const asked = impute === 'mode' || byName;
  if (!asked && (reading.type === 'date' || reading.type === 'datetime'))
    return none('dates are not filled unless asked for');
  if (!asked && reading.type === 'text' && (reading.identifier || !isCategory(stats)))
    return none('texts that are mostly distinct have no usual value');
  if (!asked && reading.type === 'text' && column.missing > column.rows * 0.5)
    return none('more than half of it is missing');
  const frequent = stats.top?.[0]?.value;
  const mode = frequent ?? (await table.mode(column.index, clip));
  return mode === null
    ? none('every value is missing')
    : { impute: 'mode', fill: isNumeric(reading) ? Number(mode) : mode, note: null };
}

/** Decides and words what happens to one column: bounds first, then a filler from what is inside them. */
export async function treatColumn(
  table: LoadedRows,
  column: TreatedColumn,
  options: CleanOptions,
): Promise<Treatment> {
  const { reading, missing, rows } = column;
  const v = `v${column.index}`;
  const warnings: string[] = [];
  const { numeric } = column.stats;
  const doubt = numeric ? await standInWarning(table, column.index, column.name, numeric) : null;
  if (doubt) warnings.push(doubt);
  const clip = await clipBounds(column, options);
  const type = duckType(reading.type);
  const bound = (value: number): string =>
    reading.type === 'integer' ? `CAST('${value}' AS BIGINT)` : sqlReal(value);
  const bounds: { where: string; inside: string; value: string }[] = [];
  const limit = (value: number | null | undefined, outside: string, inside: string): void => {
    if (value === null || value === undefined) return;
    const at = bound(value);
    bounds.push({ where: `${v} ${outside} ${at}`, inside: `${v} ${inside} ${at}`, value: at });
  };
  limit(clip?.min, '<', '>=');
  limit(clip?.max, '>', '<=');
  const clippedValue =
    bounds.length > 0
      ? `CASE ${bounds.map(({ where, value }) => `WHEN ${where} THEN ${value}`).join(' ')} ELSE ${v} END`
      : v;
  const same = bounds.length > 0 ? bounds.map(({ inside }) => inside).join(' AND ') : `${v} IS NOT NULL`;
  const others: Treatment['cases']['others'] = [...bounds];
  let plan: ColumnPlan = { impute: 'none', fill: null, clip, indicator: null, reading: [] };
  let final = clippedValue;
  let imputed = 0;
  if (!column.target) {
    const { impute, fill, note } = await fillFor(table, column, options, clip);
    plan = { ...plan, impute, fill };
    if (missing > 0) {
      if (fill === null && note)
        warnings.push(`"${column.name}" keeps ${missing} missing value${missing === 1 ? '' : 's'}: ${note}.`);
      if (fill !== null) {
        imputed = missing;
        const value = `CAST(${sqlText(String(fill))} AS ${type})`;
        others.push({ where: `${v} IS NULL`, value });
        final = `CASE WHEN ${v} IS NULL THEN ${value} ELSE ${clippedValue} END`;
        if (missing > rows * 0.5)
          warnings.push(
            `${Math.round((100 * missing) / rows)} % of "${column.name}" is missing and takes the same value (${fill}).`,
          );
        if (options.missingIndicators) plan.indicator = `${column.name}_missing`;
      }
    }
  }
  return { plan, final, cases: { same, others }, imputed, warnings };
}
