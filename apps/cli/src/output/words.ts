import { formatBytes, formatDuration } from '@vgpu/core';

/** When something is expected: `in 12 s`; one that is due already comes `soon`. */
export function until(time: number | null | undefined, now: number = Date.now()): string {
  if (time === null || time === undefined) return '–';
  const ms = time - now;
  return ms < 1000 ? 'soon' : `in ${formatDuration(ms).replace(/\.\d s$/, ' s')}`;
}

/** How long ago something happened: `12 s ago`. */
export function ago(time: number | null | undefined, now: number = Date.now()): string {
  if (time === null || time === undefined) return '–';
  const ms = Math.max(0, now - time);
  return ms < 1000 ? 'just now' : `${formatDuration(ms).replace(/\.\d s$/, ' s')} ago`;
}

/** Milliseconds for people, or a dash. */
export const duration = (ms: number | null | undefined): string =>
  ms === null || ms === undefined ? '–' : formatDuration(ms);

/** `1 task`, `2 tasks`. */
/** Output that a worker printed faster than it could be read. */
export const lost = (bytes: number): string =>
  `${formatBytes(bytes)} came too fast to be kept and were dropped`;

export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;

/** A score: four decimals in the usual range, four significant digits outside it. */
export function score(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  const magnitude = Math.abs(value);
  if (Number.isInteger(value) && magnitude > 1 && magnitude < 1e6) return String(value);
  if (magnitude === 0 || (magnitude >= 1e-3 && magnitude < 1000)) return value.toFixed(4);
  return magnitude < 1e-3 || magnitude >= 1e6 ? value.toExponential(3) : value.toFixed(1);
}
