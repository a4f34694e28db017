import { VgpuError } from '../errors/vgpu-error.ts';

const factors: Record<string, number> = { ms: 1, s: 1e3, m: 6e4, min: 6e4, h: 3.6e6, d: 8.64e7 };

/**
 * Reads a duration such as `60s`, `2h`, `1h30m`, `250ms` into milliseconds. A bare number is seconds.
 * @throws VgpuError `BAD_UNIT` when the text is no duration.
 */
export function parseDuration(text: string | number): number {
  if (typeof text === 'number' && Number.isFinite(text) && text >= 0) return Math.round(text * 1000);
  const bare = String(text).trim().toLowerCase();
  if (/^\d+(\.\d+)?$/.test(bare)) return Math.round(Number(bare) * 1000);
  if (!/^(\d+(\.\d+)?\s*(ms|min|s|m|h|d)\s*)+$/.test(bare)) {
    throw new VgpuError('BAD_UNIT', { what: 'duration', value: String(text), example: '60s, 90m or 1h30m' });
  }
  let total = 0;
  for (const [, number, unit] of bare.matchAll(/(\d+(?:\.\d+)?)\s*(ms|min|s|m|h|d)/g)) {
    total += Number(number) * factors[unit!]!;
  }
  return Math.round(total);
}

/** Writes milliseconds for people: `85 ms`, `4.2 s`, `3 m 05 s`, `2 h 10 m`, `3 d 4 h`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, '0')} s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} m`;
  const hours = Math.round(ms / 3_600_000);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
