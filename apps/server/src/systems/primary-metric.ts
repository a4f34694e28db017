import { bestIndex, type Goal, goalOf } from '@vgpu/core';

/**
 * Metrics that a job is judged by where its spec names none, most telling first. The one that most tasks have
 * wins; among equals, this order decides.
 */
export const primaryCandidates = [
  'f1',
  'accuracy',
  'r2',
  'mse',
  'roc_auc',
  'val_f1',
  'val_accuracy',
  'val_r2',
  'val_mse',
  'val_loss',
] as const;

export interface Primary {
  name: string;
  goal: Goal;
}

/** What a job's tasks are compared by; undefined while none has a score that would do. */
export function primaryMetric(
  asked: { primary: string | null; goal: string | null },
  metrics: readonly Record<string, number>[],
): Primary | undefined {
  if (asked.primary)
    return { name: asked.primary, goal: (asked.goal as Goal | null) ?? goalOf(asked.primary) };
  let best: { name: string; count: number } | undefined;
  for (const name of primaryCandidates) {
    const count = metrics.filter((values) => Number.isFinite(values[name])).length;
    if (count > (best?.count ?? 0)) best = { name, count };
  }
  return best && { name: best.name, goal: goalOf(best.name) };
}

/** The best of several by a metric; undefined where none has it. */
export function bestOf<T extends { metrics: Record<string, number> }>(
  items: readonly T[],
  primary: Primary | undefined,
): { item: T; value: number } | undefined {
  if (!primary) return undefined;
  const index = bestIndex(
    items.map((item) => item.metrics[primary.name]),
    primary.goal,
  );
  const item = items[index];
  return item && { item, value: item.metrics[primary.name]! };
}
