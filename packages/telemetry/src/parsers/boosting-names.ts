import { canonicalMetric, plainName } from './metric-names.ts';

const NUMBERED = /^(?:validation|valid|eval)_(\d+)$/;

/** `train`, `training`, `validation_0`, `valid_1`, `eval`, `test`, `cv_agg valid` -> prefix of the metric's name. */
function setPrefix(set: string, numberedSets: number): string {
  const plain = plainName(set);
  if (/^(train|training|learn|cv_agg_train)$/.test(plain)) return 'train_';
  // One unnamed set is the validation set. Of several, nobody but the script knows which is what.
  const numbered = NUMBERED.exec(plain);
  if (numbered) return numberedSets === 1 ? 'val_' : `val_${numbered[1]}_`;
  if (/^(valid|validation|val|eval|dev|test|cv_agg_valid|cv_agg)$/.test(plain)) return 'val_';
  return `${plain}_`;
}

/** Names for one line of a boosting library, from (set, metric, value). */
export function boostingMetrics(
  found: readonly { set: string; metric: string; value: number }[],
): Record<string, number> | undefined {
  const sets = new Set(found.map((entry) => entry.set).filter((set) => NUMBERED.test(set))).size;
  let metrics: Record<string, number> | undefined;
  for (const { set, metric, value } of found) {
    if (!Number.isFinite(value)) continue;
    const name = setPrefix(set, sets) + (canonicalMetric(metric) ?? plainName(metric));
    metrics ??= Object.create(null) as Record<string, number>;
    metrics[name] = value;
  }
  return metrics;
}
