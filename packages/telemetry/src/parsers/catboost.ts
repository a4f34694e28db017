import { unitSeconds } from './duration.ts';
import { finiteMetrics, NUMBER, type ParserKind } from './parser.ts';

const PAIR = new RegExp(String.raw`^(learn|test\d*): (${NUMBER})$`);
/** The line does not say which metric it is: the loss function. */
const NAMES: Record<string, string> = { learn: 'train_loss', test: 'val_loss' };

/** `0:\tlearn: 0.69\ttest: 0.70\tbest: 0.70 (0)\ttotal: 16.9ms\tremaining: 3.37s`, `bestTest = 0.3`. */
export const catboost: ParserKind = {
  name: 'catboost',
  create: () => (line) => {
    if (line.startsWith('bestTest = ')) {
      const metrics = finiteMetrics([['val_loss', Number(line.slice(11))]]);
      return metrics && { metrics };
    }
    const head = /^(\d+):\t/.exec(line);
    if (head === null || !line.includes('\ttotal: ')) return undefined;
    const step = Number(head[1]);
    const pairs: [string, number][] = [];
    let eta: number | undefined;
    for (const part of line.slice(head[0].length).split('\t')) {
      const pair = PAIR.exec(part);
      if (pair) pairs.push([NAMES[pair[1]!] ?? `val_${pair[1]!.slice(4)}_loss`, Number(pair[2])]);
      else if (part.startsWith('remaining: ')) eta = unitSeconds(part);
    }
    const metrics = finiteMetrics(pairs);
    const progress = { current: step + 1, unit: 'iteration', ...(eta !== undefined && { eta }) };
    return { step, progress, ...(metrics && { metrics }) };
  },
};
