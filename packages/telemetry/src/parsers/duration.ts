const UNIT_SECONDS: Record<string, number> = { us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, m: 60, min: 60, h: 3600 };

/** Seconds in `1:02:03` or `02:03`; undefined otherwise. */
export function clockSeconds(text: string): number | undefined {
  if (!/^\d+(:\d\d){1,2}$/.test(text)) return undefined;
  return text.split(':').reduce((total, part) => total * 60 + Number(part), 0);
}

/** Seconds in `3.37s`, `520us`, `1m 20s`, `2h 3m`; undefined otherwise. */
export function unitSeconds(text: string): number | undefined {
  let seconds: number | undefined;
  for (const [, value, unit] of text.matchAll(/(\d{1,20}(?:\.\d{1,20})?) ?(us|µs|ms|s|min|m|h)\b/g))
    seconds = (seconds ?? 0) + Number(value) * UNIT_SECONDS[unit!]!;
  return seconds;
}
