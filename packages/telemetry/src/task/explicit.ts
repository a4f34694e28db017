import { canonicalMetric, plainName } from '../parsers/metric-names.ts';
import { plainText } from '../terminal/plain-text.ts';
import type { Progress, Report } from '../types.ts';

/** What the vgpu Python module says, checked: it comes from the worker and may be forged. */
export type ExplicitRecord =
  | { type: 'metric'; metrics: Record<string, number>; step?: number }
  | { type: 'progress'; progress: Progress }
  | { type: 'report'; report: Report };

const MAX_NAMES = 200;
const MAX_LABELS = 50;

type Fields = Record<string, unknown>;
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** Numbers by canonical name; what is no finite number is left out. */
function numbers(value: unknown): Record<string, number> {
  const result = Object.create(null) as Record<string, number>;
  if (!isFields(value)) return result;
  for (const [key, number] of Object.entries(value).slice(0, MAX_NAMES)) {
    const name = canonicalMetric(key) ?? plainName(key);
    if (name !== '' && isNumber(number)) result[name] = number;
  }
  return result;
}

/** The record that a value from the event stream is, or undefined. */
export function explicitRecord(value: unknown): ExplicitRecord | undefined {
  if (!isFields(value)) return undefined;
  switch (value.type) {
    case 'metric': {
      const metrics = numbers(value.metrics);
      if (Object.keys(metrics).length === 0) return undefined;
      return { type: 'metric', metrics, ...(isNumber(value.step) && { step: value.step }) };
    }
    case 'progress': {
      const { current, total, label } = value;
      if (!isNumber(current)) return undefined;
      const progress: Progress = { current };
      if (isNumber(total) && total > 0) {
        progress.total = total;
        progress.fraction = Math.min(1, Math.max(0, current / total));
      }
      if (typeof label === 'string') progress.label = plainText(label, 100);
      return { type: 'progress', progress };
    }
    case 'report':
      return report(value);
    default:
      return undefined;
  }
}

function report(value: Fields): ExplicitRecord | undefined {
  if (value.task !== 'classification' && value.task !== 'regression') return undefined;
  const result: Report = { task: value.task, scores: numbers(value.scores) };
  const confusion = confusionMatrix(value.confusion);
  if (confusion) result.confusion = confusion;
  if (isFields(value.perClass)) {
    const perClass = Object.create(null) as NonNullable<Report['perClass']>;
    for (const [label, row] of Object.entries(value.perClass).slice(0, MAX_LABELS)) {
      if (!isFields(row)) continue;
      const { precision, recall, f1, support } = row;
      if (isNumber(precision) && isNumber(recall) && isNumber(f1) && isNumber(support))
        perClass[plainText(label, 100)] = { precision, recall, f1, support };
    }
    result.perClass = perClass;
  }
  return { type: 'report', report: result };
}

function confusionMatrix(value: unknown): Report['confusion'] {
  if (!isFields(value)) return undefined;
  const { labels, matrix } = value;
  if (!Array.isArray(labels) || !Array.isArray(matrix)) return undefined;
  if (labels.length > MAX_LABELS || matrix.length !== labels.length) return undefined;
  if (!labels.every((label) => typeof label === 'string')) return undefined;
  const square = matrix.every(
    (row) =>
      Array.isArray(row) && row.length === labels.length && row.every((cell) => isNumber(cell) && cell >= 0),
  );
  if (!square) return undefined;
  return { labels: labels.map((label: string) => plainText(label, 100)), matrix: matrix as number[][] };
}
