import { formatBytes, formatDuration, knownScores } from '@vgpu/core';

const plain = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** `1,234,567`. */
export const count = (value: number): string => plain.format(value);

/** `1 job`, `2 jobs`. */
export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

/** A score or metric with four meaningful digits: `0.9134`, `12,345`, `2.1e-5`. */
export function score(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) return value.toExponential(2);
  if (Number.isInteger(value)) return count(value);
  if (size >= 1000) return plain.format(value);
  return value.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : 4);
}

/** The title of a metric: `MSE` for mse, `Val F1` stays as the script wrote it. */
export function metricTitle(name: string): string {
  return (knownScores as Record<string, { title: string } | undefined>)[name]?.title ?? name;
}

/** `0.25 GPU`, `2 cores`. */
export const milli = (value: number, unit: string): string => `${Number((value / 1000).toFixed(2))} ${unit}`;
export const cores = (value: number): string => milli(value, value === 1000 ? 'core' : 'cores');
export const percent = (fraction: number, digits = 0): string => `${(fraction * 100).toFixed(digits)} %`;

/** What a task may use, in words. */
export function resourcesText(resources: { gpu: number; vram: number; cpu: number; memory: number }): string {
  const parts = [cores(resources.cpu), `${formatBytes(resources.memory)} memory`];
  if (resources.gpu > 0) parts.unshift(milli(resources.gpu, 'GPU'));
  if (resources.vram > 0) parts.push(`${formatBytes(resources.vram)} GPU memory`);
  return parts.join(' · ');
}

export const duration = (ms: number | null | undefined): string =>
  ms === null || ms === undefined ? '–' : formatDuration(ms);

export { formatBytes as bytes };
