import type { Progress } from '@vgpu/api';
import { count, duration, percent } from '../ui/figures.ts';

const units = (unit: string | null, value: number): string => {
  const word = !unit || unit === 'it' ? 'step' : unit;
  if (value === 1 || /[^a-z]$/i.test(word)) return word;
  return /(s|x|ch|sh)$/.test(word) ? `${word}es` : `${word}s`;
};

/** `Training · 48 of 400 batches · 5.1 batches a second · 35 s left`. */
export function progressText(progress: Progress): string {
  const { label, current, total, fraction, unit, rate, eta } = progress;
  const parts = [label];
  if (total) parts.push(`${count(current)} of ${count(total)}${unit ? ` ${units(unit, total)}` : ''}`);
  else if (fraction !== null) parts.push(percent(fraction));
  else parts.push(`${count(current)} ${units(unit, current)}`);
  if (rate) parts.push(`${rate < 10 ? rate.toFixed(1) : count(rate)} ${units(unit, 2)} a second`);
  if (eta) parts.push(`${duration(eta * 1000)} left`);
  return parts.filter(Boolean).join(' · ');
}
