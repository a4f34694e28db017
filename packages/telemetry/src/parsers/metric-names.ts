/**
 * One name per metric, whatever the script calls it. Names follow scikit-learn; what was measured on
 * training or validation data keeps a `train_` or `val_` prefix, test and final scores have none.
 */

/** Without a prototype: a script may print `constructor: 1`. */
const table = (entries: Record<string, string>): Record<string, string | undefined> =>
  Object.assign(Object.create(null), entries);

/** Spelling (lower case, words joined by `_`) -> canonical name. */
const CANONICAL = table({
  mse: 'mse',
  mean_squared_error: 'mse',
  l2: 'mse',
  rmse: 'rmse',
  root_mean_squared_error: 'rmse',
  mae: 'mae',
  mean_absolute_error: 'mae',
  l1: 'mae',
  mape: 'mape',
  mean_absolute_percentage_error: 'mape',
  median_absolute_error: 'medae',
  medae: 'medae',
  r2: 'r2',
  'r²': 'r2',
  'r^2': 'r2',
  r_2: 'r2',
  r2_score: 'r2',
  r_squared: 'r2',
  rsquared: 'r2',
  coefficient_of_determination: 'r2',
  explained_variance: 'explained_variance',
  acc: 'accuracy',
  accuracy: 'accuracy',
  accuracy_score: 'accuracy',
  balanced_accuracy: 'balanced_accuracy',
  balanced_accuracy_score: 'balanced_accuracy',
  sparse_categorical_accuracy: 'accuracy',
  categorical_accuracy: 'accuracy',
  binary_accuracy: 'accuracy',
  error_rate: 'error_rate',
  precision: 'precision',
  precision_score: 'precision',
  recall: 'recall',
  recall_score: 'recall',
  sensitivity: 'recall',
  specificity: 'specificity',
  f1: 'f1',
  f1_score: 'f1',
  f1score: 'f1',
  f_score: 'f1',
  f_measure: 'f1',
  auc: 'roc_auc',
  roc_auc: 'roc_auc',
  auc_roc: 'roc_auc',
  auroc: 'roc_auc',
  roc_auc_score: 'roc_auc',
  average_precision: 'average_precision',
  pr_auc: 'average_precision',
  loss: 'loss',
  log_loss: 'log_loss',
  logloss: 'log_loss',
  binary_logloss: 'log_loss',
  multi_logloss: 'log_loss',
  mlogloss: 'log_loss',
  cross_entropy: 'log_loss',
  mcc: 'mcc',
  matthews_corrcoef: 'mcc',
  kappa: 'kappa',
  cohen_kappa: 'kappa',
  perplexity: 'perplexity',
  score: 'score',
  silhouette: 'silhouette',
  silhouette_score: 'silhouette',
  lr: 'learning_rate',
  learning_rate: 'learning_rate',
  iou: 'iou',
  dice: 'dice',
  bleu: 'bleu',
  wer: 'wer',
  grad_norm: 'grad_norm',
  reward: 'reward',
  objective: 'objective',
});

/** Metrics between 0 and 1, for which `93.2%` means 0.932. */
const RATIO =
  /^(?:(?:train|val)_)?(?:accuracy|balanced_accuracy|precision|recall|f1|roc_auc|average_precision|specificity|error_rate|score|r2|iou|dice)(?:_|$)/;

const PREFIX = table({
  test: '',
  final: '',
  overall: '',
  holdout: '',
  best: '',
  mean: '',
  average: '',
  avg: '',
  model: '',
  cv: 'cv_',
  oob: 'oob_',
  train: 'train_',
  training: 'train_',
  val: 'val_',
  valid: 'val_',
  validation: 'val_',
  eval: 'val_',
  evaluation: 'val_',
  dev: 'val_',
});

/** Names that are met again and again; bounded because a hostile script can invent names for ever. */
const cache = new Map<string, string | undefined>();
const MAX_CACHE = 2000;

/**
 * The canonical name of a metric as printed (`F1-score`, `val_acc`, `Test accuracy`, `F1 (macro)`,
 * `Mean squared error (MSE)`), or undefined if these words are no metric known here.
 */
export function canonicalMetric(printed: string): string | undefined {
  if (printed.length > 80) return undefined;
  if (cache.has(printed)) return cache.get(printed);
  const name = canonical(printed);
  if (cache.size >= MAX_CACHE) cache.clear();
  cache.set(printed, name);
  return name;
}

function canonical(printed: string): string | undefined {
  let words = printed
    .toLowerCase()
    .replace(/[[\]{}'"`*#>]/g, ' ')
    .trim()
    .replace(/^the\s+/, '')
    .replace(/[\s\-/.]+/g, '_')
    .replace(/^_+|_+$/g, '');
  let prefix = '';
  let suffix = '';
  // `f1 (macro)`, `mean squared error (mse)`, `accuracy (test)`, `accuracy on the training set`
  const place = /_(?:on|of|for|over)_(.*)$/.exec(words);
  if (place && CANONICAL[words] === undefined) {
    words = words.slice(0, place.index);
    if (/train/.test(place[1]!)) prefix = 'train_';
    else if (/valid|\bval|dev/.test(place[1]!)) prefix = 'val_';
  }
  const aside = /_?\(([^()]*)\)_?$/.exec(words);
  if (aside) {
    const inside = aside[1]!;
    words = words.slice(0, aside.index);
    if (PREFIX[inside] !== undefined) prefix = PREFIX[inside]!;
    else if (/^(macro|micro|weighted)/.test(inside)) suffix = `_${/^[a-z]+/.exec(inside)![0]}`;
    else if (CANONICAL[inside] !== undefined && CANONICAL[words] === undefined) words = inside;
  }
  for (let turn = 0; turn < 3; turn += 1) {
    const direct = CANONICAL[words];
    if (direct !== undefined) return prefix + direct + suffix;
    const averaged = /^(macro|micro|weighted)_(?:avg_|average_|averaged_)?(.+)$/.exec(words);
    const trailing = /^(.+?)_(macro|micro|weighted)$/.exec(words);
    if (averaged) [suffix, words] = [`_${averaged[1]}`, averaged[2]!];
    else if (trailing) [words, suffix] = [trailing[1]!, `_${trailing[2]}`];
    else {
      const cut = words.indexOf('_');
      const head: string | undefined = cut < 0 ? undefined : PREFIX[words.slice(0, cut)];
      if (head === undefined) return undefined;
      prefix ||= head;
      words = words.slice(cut + 1);
    }
  }
  const direct = CANONICAL[words];
  return direct === undefined ? undefined : prefix + direct + suffix;
}

/** True for names in which a word says that it is a metric: `train_d_loss`, `head2.acc`. */
const METRIC_WORD =
  /(?:^|[_.\-/\s])(?:loss|acc|accuracy|error|err|mse|rmse|mae|auc|f1|score|precision|recall|iou|dice|perplexity|ppl|reward|kl|elbo|nll|bleu|rouge\w?|wer|r2)\d*(?:$|[_.\-/\s@])/i;

/** Canonical if known, else a tidy form of the name if it looks like a metric, else undefined. */
export function metricName(printed: string): string | undefined {
  return canonicalMetric(printed) ?? (METRIC_WORD.test(printed) ? plainName(printed) : undefined);
}

/** A name in lower case with `_` between words, at most 64 characters; '' if nothing is left. */
export function plainName(printed: string): string {
  return printed
    .trim()
    .slice(0, 64)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_./@-]+/gu, '_')
    .replace(/^[_.\-/]+|[_.\-/]+$/g, '');
}

/** True for metrics between 0 and 1. */
export const isRatio = (name: string): boolean => RATIO.test(name);
