/** The scores that vgpu knows by name, with the direction that is better and how to write them. */
export const knownScores = {
  mse: { title: 'MSE', goal: 'minimize', kind: 'regression' },
  rmse: { title: 'RMSE', goal: 'minimize', kind: 'regression' },
  mae: { title: 'MAE', goal: 'minimize', kind: 'regression' },
  r2: { title: 'R²', goal: 'maximize', kind: 'regression' },
  accuracy: { title: 'Accuracy', goal: 'maximize', kind: 'classification' },
  precision: { title: 'Precision', goal: 'maximize', kind: 'classification' },
  recall: { title: 'Recall', goal: 'maximize', kind: 'classification' },
  f1: { title: 'F1', goal: 'maximize', kind: 'classification' },
  f1_macro: { title: 'F1 macro', goal: 'maximize', kind: 'classification' },
  f1_weighted: { title: 'F1 weighted', goal: 'maximize', kind: 'classification' },
  roc_auc: { title: 'ROC-AUC', goal: 'maximize', kind: 'classification' },
} as const;

export type KnownScore = keyof typeof knownScores;
export type Goal = 'maximize' | 'minimize';

/**
 * Which way a metric is better. Known scores by the table, also behind a prefix (`val_f1`);
 * names with loss, error or perplexity in them are minimised; anything else is maximised.
 */
export function goalOf(name: string): Goal {
  const lower = name.toLowerCase();
  const bare = lower.replace(/^(val|test|train|eval|valid|validation)_/, '');
  const known = (knownScores as Record<string, { goal: Goal }>)[bare];
  if (known) return known.goal;
  return /loss|err|mse|mae|rmse|perplexity|deviance|hinge/.test(lower) ? 'minimize' : 'maximize';
}

/** The index of the best value, skipping missing and NaN ones; -1 when there is none. Ties go to the first. */
export function bestIndex(values: readonly (number | null | undefined)[], goal: Goal): number {
  let best = -1;
  values.forEach((value, i) => {
    if (value === null || value === undefined || Number.isNaN(value)) return;
    const current = best < 0 ? undefined : (values[best] as number);
    if (current === undefined || (goal === 'maximize' ? value > current : value < current)) best = i;
  });
  return best;
}
