import type { Parsed } from '../types.ts';
import { canonicalMetric, plainName } from './metric-names.ts';
import { finiteMetrics, NUMBER, type ParserKind } from './parser.ts';

/** [what the line must contain, pattern, reading]; stateless lines of scikit-learn's verbose output. */
const LINES: [string, RegExp, (match: RegExpExecArray) => Parsed][] = [
  [
    // MLP, KMeans
    'Iteration ',
    new RegExp(String.raw`^Iteration (\d+), (loss|inertia) =? ?(${NUMBER}?)\.?$`),
    (match) => point(Number(match[1]), match[2]!, Number(match[3])),
  ],
  [
    // t-SNE
    '[t-SNE] Iteration',
    new RegExp(String.raw`^\[t-SNE\] Iteration (\d+): error = (${NUMBER})`),
    (match) => point(Number(match[1]), 'error', Number(match[2])),
  ],
  [
    // Forests
    'building tree ',
    /^building tree (\d+) of (\d+)$/,
    (match) => counted(Number(match[1]), Number(match[2]), 'tree'),
  ],
  [
    // joblib
    '[Parallel(',
    /^\[Parallel\(n_jobs=-?\d+\)\]: Done +(\d+) (?:out of|tasks) *(\d+)?/,
    (match) => counted(Number(match[1]), match[2] === undefined ? undefined : Number(match[2]), 'task'),
  ],
  [
    // Histogram gradient boosting
    ' tree',
    new RegExp(
      String.raw`^\[(\d+)\/(\d+)\] \d+ trees?, .*?train (loss|score): (${NUMBER})(?:, val (?:loss|score): (${NUMBER}))?`,
    ),
    (match) => {
      const metrics = finiteMetrics([
        [`train_${match[3]}`, Number(match[4])],
        [`val_${match[3]}`, Number(match[5] ?? Number.NaN)],
      ]);
      return { ...counted(Number(match[1]), Number(match[2]), 'iteration'), step: Number(match[1]), metrics };
    },
  ],
];

function point(step: number, name: string, value: number): Parsed {
  const metrics = finiteMetrics([[name, value]]);
  return { step, progress: { current: step, unit: 'iteration' }, ...(metrics && { metrics }) };
}

function counted(current: number, total: number | undefined, unit: string): Parsed {
  if (total === undefined || total <= 0) return { progress: { current, unit } };
  return { progress: { current, total, fraction: Math.min(1, current / total), unit } };
}

/** What verbose estimators and searches of scikit-learn print. */
export const sklearn: ParserKind = {
  name: 'sklearn',
  create: () => {
    let epoch: number | undefined; // SGD: `-- Epoch 3`, then `Norm: …, Avg. loss: 0.32`
    let table: string[] | undefined; // columns of gradient boosting's table
    let fits = 0; // of a search
    let done = 0;
    return (line) => {
      for (const [mark, pattern, read] of LINES) {
        if (!line.includes(mark)) continue;
        const match = pattern.exec(line);
        if (match) return read(match);
      }
      if (line.startsWith('-- Epoch ')) {
        epoch = Number(line.slice(9));
        return Number.isInteger(epoch) ? { epoch } : undefined;
      }
      if (line.startsWith('Norm: ')) {
        const loss = new RegExp(`Avg\\. loss: (${NUMBER})`).exec(line);
        if (loss === null) return undefined;
        return { metrics: { loss: Number(loss[1]) }, ...(epoch !== undefined && { epoch, step: epoch }) };
      }
      if (line.startsWith('Fitting ')) {
        const total = /^Fitting \d+ folds for each of \d+ candidates, totalling (\d+) fits$/.exec(line);
        if (total === null) return undefined;
        fits = Number(total[1]);
        done = 0;
        return counted(0, fits, 'fit');
      }
      if (line.startsWith('[CV')) {
        const end = /^\[CV(?: \d+\/\d+)?[^\]]*\] END /.test(line);
        if (!end) return undefined;
        done += 1;
        return {
          ...counted(done, fits > 0 ? Math.max(fits, done) : undefined, 'fit'),
          ...cvScores(line, done),
        };
      }
      if (/^ +Iter +Train Loss/.test(line)) {
        table = line.trim().split(/ {2,}/);
        return {};
      }
      if (table !== undefined) {
        const cells = line.trim().split(/ +/);
        if (/^ *\d+ +-?[\d.]/.test(line) && cells.length === table.length) return tableRow(table, cells);
        table = undefined;
      }
      return undefined;
    };
  },
};

/** `..., score=0.973 total time=   0.0s`, or `accuracy: (test=0.9) f1: (train=0.9, test=0.8)`. */
function cvScores(line: string, step: number): Parsed {
  const single = new RegExp(String.raw`[ ;]score=(?:\(train=${NUMBER}, test=)?(${NUMBER})`).exec(line);
  const pairs: [string, number][] = single ? [['cv_score', Number(single[1])]] : [];
  const several = new RegExp(String.raw`(\w{1,60}): \((?:train=${NUMBER}, )?test=(${NUMBER})\)`, 'g');
  for (const [, name, value] of line.matchAll(several))
    pairs.push([`cv_${canonicalMetric(name!) ?? plainName(name!)}`, Number(value)]);
  const metrics = finiteMetrics(pairs);
  return metrics ? { metrics, step } : {};
}

function tableRow(columns: string[], cells: string[]): Parsed {
  const step = Number(cells[0]);
  const loss = Number(cells[columns.indexOf('Train Loss')]);
  const left = cells.at(-1)!;
  const parsed = point(step, 'train_loss', loss);
  const seconds = /^([\d.]+)([smh])$/.exec(left);
  if (seconds)
    parsed.progress!.eta = Number(seconds[1]) * { s: 1, m: 60, h: 3600 }[seconds[2] as 's' | 'm' | 'h'];
  return parsed;
}
