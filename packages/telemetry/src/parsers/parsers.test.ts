import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineAssembler } from '../terminal/lines.ts';
import type { Parsed } from '../types.ts';
import { LineParser } from './registry.ts';

/** What is understood of a capture of the real library, through the terminal, line by line. */
function captured(name: string): Parsed[] {
  const bytes = readFileSync(new URL(`../../fixtures/${name}.golden.txt`, import.meta.url));
  const assembler = new LineAssembler();
  const parser = new LineParser();
  return [...assembler.push('stdout', bytes, 1).lines, ...assembler.end('stdout', 2).lines]
    .map((line) => parser.parse(line.text))
    .filter((parsed) => parsed !== undefined);
}
const parse = (line: string): Parsed | undefined => new LineParser().parse(line);
const metrics = (line: string): Record<string, number> => ({ ...parse(line)?.metrics });

test('tqdm', () => {
  const all = captured('tqdm');
  expect(all).toHaveLength(4);
  expect(all[0]).toMatchObject({
    progress: {
      current: 5,
      total: 5,
      fraction: 1,
      unit: 'batch',
      rate: expect.closeTo(6.6, 0),
      eta: 0,
      label: 'Train',
    },
    metrics: { accuracy: 0.9, loss: 0.2 },
    step: 5,
  });
  expect(all[2]!.progress).toMatchObject({ current: 3, unit: 'it', label: 'no total' });
  expect(all[2]!.progress!.total).toBeUndefined();
});

test('tqdm: scaled counts, slow rates, long waits', () => {
  expect(parse('  4%|▍         | 12.3M/300M [01:02<1:02:03, 2.50s/it]')!.progress).toMatchObject({
    current: 12_300_000,
    total: 300_000_000,
    rate: 0.4,
    eta: 3723,
  });
});

test('Keras: steps count over the epochs, evaluate() stands alone', () => {
  const all = captured('keras');
  const bars = all.filter((parsed) => parsed.progress?.unit === 'step');
  expect(bars.map((parsed) => parsed.progress!.current)).toEqual([10, 20, 30, 10, 20, 4]);
  expect(bars[1]).toMatchObject({
    epoch: 2,
    step: 20,
    progress: { total: 30 },
    metrics: { accuracy: 0.54, loss: 0.7347, val_accuracy: 0.45, val_loss: 0.7932 },
  });
  expect(bars[5]!.epoch).toBeUndefined();
  expect(bars[5]!.progress).toMatchObject({ fraction: 1, total: 4 });
  expect(all.at(-1)!.metrics).toEqual({ loss: expect.closeTo(0.75325, 4) });
});

test('Lightning', () => {
  const last = captured('lightning').at(-1)!;
  expect(last).toMatchObject({ epoch: 1, step: 20, progress: { current: 10, total: 10 } });
  expect(Object.keys(last.metrics!)).toEqual(['train_loss', 'val_loss']);
});

test('Hugging Face: quoted and bare values, speeds left out', () => {
  const all = captured('huggingface').filter((parsed) => parsed.metrics);
  expect(all).toHaveLength(7);
  expect(all[0]).toMatchObject({
    epoch: 0.5,
    metrics: { loss: 1.028, grad_norm: 0.8646, learning_rate: 4e-5 },
  });
  expect({ ...all[2]!.metrics }).toEqual({ val_loss: 1.045, val_accuracy: 0.37 });
  expect(metrics("{'loss': 0.71, 'learning_rate': 4e-05, 'epoch': 2.3}")).toEqual({
    loss: 0.71,
    learning_rate: 4e-5,
  });
  expect(parse('{"step": 7, "val_f1": 0.5}')).toMatchObject({ step: 7, metrics: { val_f1: 0.5 } });
});

test('scikit-learn: losses, trees, searches and reports', () => {
  const all = captured('sklearn');
  const losses = all.filter((parsed) => parsed.metrics?.loss !== undefined);
  expect(losses.map((parsed) => parsed.step)).toEqual([1, 2, 3, 4, 1, 2, 3]);
  expect(losses[0]!.metrics!.loss).toBe(0.69617145);
  const boosting = all.filter((parsed) => parsed.metrics?.train_loss !== undefined);
  expect(boosting).toHaveLength(10 + 4);
  expect(boosting[9]).toMatchObject({ step: 10, metrics: { train_loss: 0.0431 } });
  expect(boosting[12]).toMatchObject({
    step: 3,
    progress: { current: 3, total: 4, fraction: 0.75 },
    metrics: { train_loss: 0.48571, val_loss: 0.51118 },
  });
  expect(all.filter((parsed) => parsed.progress?.unit === 'tree')).toHaveLength(20);
  const fits = all.filter((parsed) => parsed.metrics?.cv_score !== undefined);
  expect(fits.map((parsed) => parsed.metrics!.cv_score)).toEqual([0.973, 0.827, 0.96, 0.893]);
  expect(fits[3]!.progress).toMatchObject({ current: 4, total: 4 });
  const reports = all.filter((parsed) => parsed.metrics?.f1_macro !== undefined);
  expect(reports).toHaveLength(3);
  expect(reports[0]!.metrics).toMatchObject({ f1_macro: 0.94, f1: 0.94 });
  expect(reports[1]!.metrics).toMatchObject({ f1: 0.334, recall: 0.3351 });
  expect(all.filter((parsed) => parsed.metrics?.accuracy !== undefined)).toHaveLength(2);
});

test('scikit-learn: a report of two classes takes the scores of the second', () => {
  const parser = new LineParser();
  const lines = [
    '              precision    recall  f1-score   support',
    '',
    '         no       0.90      0.80      0.85        10',
    '        yes       0.70      0.60      0.65        10',
    '',
    '    accuracy                           0.75        20',
    '   macro avg       0.80      0.70      0.75        20',
  ];
  const last = lines.map((line) => parser.parse(line)).at(-1);
  expect(last!.metrics).toMatchObject({ precision: 0.7, recall: 0.6, f1: 0.65, f1_macro: 0.75 });
});

test('scikit-learn: searches with several scores, t-SNE', () => {
  const all = captured('sklearn');
  const several = all.filter((parsed) => parsed.metrics?.cv_f1 !== undefined);
  expect(several.map((parsed) => ({ ...parsed.metrics }))).toEqual([
    { cv_accuracy: 0.96, cv_f1: 0.959 },
    { cv_accuracy: 0.893, cv_f1: 0.877 },
  ]);
  expect(several[1]).toMatchObject({ step: 2, progress: { current: 2, total: 2 } });
  const embedding = all.filter((parsed) => parsed.metrics?.error !== undefined);
  expect(embedding.map((parsed) => parsed.step)).toEqual([50, 100, 150, 200, 250, 300]);
});

test('bars that tell a percentage only', () => {
  const last = captured('rich').filter((parsed) => parsed.progress);
  expect(last.map((parsed) => parsed.progress!.label)).toEqual(['download', 'train']);
  expect(last.map((parsed) => parsed.progress!.fraction)).toEqual([1, 1]);
  expect(parse('  [############------------------------]   33%  00:00:02')!.progress).toMatchObject({
    fraction: 0.33,
  });
  expect(parse('data.csv   37%[=====>              ]  12.3M  5MB/s')!.progress).toMatchObject({
    fraction: 0.37,
  });
});

test('XGBoost', () => {
  const all = captured('xgboost');
  expect(all).toHaveLength(7 + 5 + 3);
  expect(all[1]).toMatchObject({ step: 2, metrics: { val_0_log_loss: 0.25662, val_1_roc_auc: 0.98193 } });
  expect({ ...all[7]!.metrics }).toEqual({ train_rmse: 0.35726, val_rmse: 0.36717 });
  expect({ ...all[12]!.metrics }).toEqual({ train_rmse: 0.35631, val_rmse: 0.384 });
  expect(metrics('[3]\tvalidation_0-rmse:1.5')).toEqual({ val_rmse: 1.5 });
});

test('LightGBM: the best iteration is repeated without a step', () => {
  const all = captured('lightgbm');
  expect(all[0]).toMatchObject({ step: 1, metrics: { val_mse: 0.212359, val_mae: 0.460009 } });
  const best = all.filter((parsed) => parsed.step === undefined);
  expect(best).toHaveLength(1);
  expect(best[0]!.metrics).toMatchObject({ train_roc_auc: 0.999956, val_roc_auc: 0.98876 });
  expect({ ...all.at(-1)!.metrics }).toEqual({ val_log_loss: 0.541397 });
});

test('CatBoost', () => {
  const all = captured('catboost');
  expect(all[1]).toMatchObject({
    step: 3,
    progress: { current: 4, eta: 0.0998 },
    metrics: { train_loss: 0.477911, val_loss: 0.4888686 },
  });
  expect(all.filter((parsed) => parsed.step === undefined)).toMatchObject([
    { metrics: { val_loss: 0.3135733829 } },
  ]);
});

test.each([
  ['MSE: 0.123', { mse: 0.123 }],
  ['accuracy = 0.91', { accuracy: 0.91 }],
  ['F1-score: 0.88', { f1: 0.88 }],
  ['Test accuracy: 93.2%', { accuracy: 0.932 }],
  ['Accuracy: 93.2 %', { accuracy: 0.932 }],
  ['R²: 0.87', { r2: 0.87 }],
  ['R^2 = -0.12', { r2: -0.12 }],
  ['Mean squared error: 2548.07', { mse: 2548.07 }],
  ['The mean squared error (MSE) on test set: 3424.3166', { mse: 3424.3166 }],
  ['Coefficient of determination: 0.47', { r2: 0.47 }],
  ['Root Mean Squared Error (RMSE): 1.5e-3', { rmse: 0.0015 }],
  ['ROC AUC: 0.95', { roc_auc: 0.95 }],
  ['AUC=0.95', { roc_auc: 0.95 }],
  ['F1 (macro): 0.7', { f1_macro: 0.7 }],
  ['weighted F1: 0.7', { f1_weighted: 0.7 }],
  ['Macro-averaged F1 score: 0.7', { f1_macro: 0.7 }],
  ['Training accuracy: 0.99', { train_accuracy: 0.99 }],
  ['Accuracy on training set: 0.99', { train_accuracy: 0.99 }],
  ['Accuracy on test set: 0.97', { accuracy: 0.97 }],
  ['CV accuracy: 0.93 (+/- 0.02)', { cv_accuracy: 0.93 }],
  ['Test set: Average loss: 0.0265, Accuracy: 9913/10000 (99%)', { loss: 0.0265, accuracy: 0.9913 }],
  ['RMSE 1.25', { rmse: 1.25 }],
  ['MSE 1.25, MAE 0.75', { mse: 1.25, mae: 0.75 }],
  ['Accuracy is 0.93.', { accuracy: 0.93 }],
  ['Best model score: 0.81', { score: 0.81 }],
  ['[logistic] test accuracy: 0.97', { accuracy: 0.97 }],
  ['alpha=0.5 energy=12.25', { alpha: 0.5, energy: 12.25 }],
  ['val_loss: 0.5 - val_acc: 0.75', { val_loss: 0.5, val_accuracy: 0.75 }],
  ['d_loss=0.25 g_loss=1.5', { d_loss: 0.25, g_loss: 1.5 }],
])('plain: %s', (line, expected) => {
  expect(metrics(line)).toEqual(expected);
});

test.each([
  'Loaded 150 rows and 4 columns',
  'time: 12:30:45',
  'Finished at 2026-11-21 10:00:00',
  'RandomForestClassifier(n_estimators=100, random_state=0)',
  'Rows: 150',
  'version=1.2.3',
  'see http://localhost:8080/accuracy',
  '[[50  0]',
  'Warning: 3 features have zero variance',
])('plain: nothing in: %s', (line) => {
  expect(parse(line)?.metrics).toBeUndefined();
});

test('plain: epochs and steps', () => {
  expect(parse('Epoch 3/10 - loss: 0.5 - acc: 0.75')).toMatchObject({
    epoch: 3,
    progress: { current: 3, total: 10, fraction: 0.3, unit: 'epoch' },
    metrics: { loss: 0.5, accuracy: 0.75 },
  });
  expect(parse('Epoch [2/5], Step [100/600], Loss: 0.25')).toMatchObject({
    epoch: 2,
    step: 100,
    metrics: { loss: 0.25 },
  });
  expect(parse('Train Epoch: 1 [6400/60000 (11%)]\tLoss: 0.7')).toMatchObject({
    epoch: 1,
    metrics: { loss: 0.7 },
  });
  expect(parse('step=40 loss=0.5')).toMatchObject({ step: 40, metrics: { loss: 0.5 } });
  expect(parse('iteration 7, reward: 12')).toMatchObject({ step: 7, metrics: { reward: 12 } });
});

test('values that are no finite numbers never become metrics', () => {
  for (const line of [
    'loss: nan',
    'loss: inf',
    'loss: 1e999',
    "{'loss': nan, 'epoch': 1}",
    '[0]\ttrain-rmse:nan',
  ])
    expect(parse(line)?.metrics).toBeUndefined();
});

const fragment = fc.oneof(
  fc.constantFrom(
    'Epoch ',
    ' 3/10 ',
    'loss',
    '=',
    ': ',
    '|',
    '[',
    ']',
    '%',
    '0.5',
    ' - ',
    "{'",
    "': ",
    '}',
    '\t',
    '━',
    '<',
    ',',
    'it/s',
    '[0]\t',
    "'s ",
    '00:01',
    '__proto__',
    'constructor',
    'precision    recall  f1-score   support',
    ' '.repeat(40),
    '1'.repeat(40),
    '(',
  ),
  fc.string({ maxLength: 10 }),
);

test('no line makes a parser throw or give something else than finite numbers', () => {
  const parser = new LineParser();
  fc.assert(
    fc.property(fc.array(fragment, { maxLength: 30 }), (parts) => {
      const parsed = parser.parse(parts.join(''));
      for (const value of Object.values(parsed?.metrics ?? {})) expect(Number.isFinite(value)).toBe(true);
      for (const value of Object.values(parsed?.progress ?? {}))
        if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
      if (parsed?.progress?.fraction !== undefined) {
        expect(parsed.progress.fraction).toBeGreaterThanOrEqual(0);
        expect(parsed.progress.fraction).toBeLessThanOrEqual(1);
      }
    }),
    { numRuns: 3000 },
  );
});

test('long repetitions give few metrics with sound names; longer lines are not looked at', () => {
  for (const unit of ['a ', '1', 'x=1 ', "'a': 1,", 'loss: 1 ', 'acc=0.5, ', 'é_', 'accuracy is 1 '])
    for (const head of ['', '{', '[0]\t', '1/2 ━ ', 'Epoch 1 ', '0:\t', '1%|']) {
      const line = (head + unit.repeat(2048)).slice(0, 2047);
      const found = parse(`${line}}`)?.metrics ?? {};
      expect(Object.keys(found).length).toBeLessThanOrEqual(2);
      for (const name of Object.keys(found)) expect(name).toMatch(/^[\p{L}\p{N}_./@-]{1,80}$/u);
    }
  expect(parse(`loss: 1 ${' '.repeat(2040)}`)).toBeDefined();
  expect(parse(`loss: 1 ${' '.repeat(2041)}`)).toBeUndefined();
});
