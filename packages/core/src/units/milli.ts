import { VgpuError } from '../errors/vgpu-error.ts';

/**
 * Reads a share such as `0.25`, `2`, `250m` or `25%` into thousandths (1000 = one whole core or GPU).
 * @param what named in the error, such as `cpu` or `gpu`.
 * @throws VgpuError `BAD_UNIT` when the text is no share.
 */
export function parseMilli(text: string | number, what: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(m|%)?\s*$/.exec(String(text));
  if (!match) throw new VgpuError('BAD_UNIT', { what, value: String(text), example: '0.25 or 2' });
  const number = Number(match[1]);
  if (match[2] === 'm') return Math.round(number);
  if (match[2] === '%') return Math.round(number * 10);
  return Math.round(number * 1000);
}

/** Writes thousandths as a plain number: 250 → `0.25`, 2000 → `2`. */
export function formatMilli(milli: number): string {
  return String(milli / 1000);
}
