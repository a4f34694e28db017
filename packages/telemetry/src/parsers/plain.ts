import type { Parsed, Progress } from '../types.ts';
import { canonicalMetric, isRatio, metricName, plainName } from './metric-names.ts';
import { NUMBER, type ParserKind } from './parser.ts';

/** `Epoch 3/10`, `Epoch [3/10]`, `epoch: 3`, `Step 100/1000`, `[Epoch 3]`, `iter=5`, `Train Epoch: 1 [640/60000`. */
const COUNTER =
  /(?:^|[\s,;|([])(epoch|step|iteration|iter|round|batch|trial)s?(?: ?[:=#] ?| ?\[ ?| )(\d+)(?: ?(?:\/|of) ?(\d+))?(?![\w.]*[\d%])/gi;
/** `accuracy = 0.91`, `MSE: 0.123`, `Accuracy: 9913/10000 (99%)`, `Accuracy is 93.2%`. */
const PAIR = new RegExp(
  String.raw`([\p{L}_][\p{L}\p{N}_²^.@\-/ ]{0,60}?(?: ?\([\p{L}\p{N}_ ]{1,30}\)(?: on [\p{L} ]{1,30})?)?)(?: ?[:=]{1,2} ?| is | ?-> ?)\s{0,20}[$[(]?(${NUMBER})(?:\/(\d+))?(\s?%)?(?![\w.]*\w)`,
  'giu',
);
/** `print('MSE', mse)`: a known name, a blank, a number, and nothing before it but other such pairs. */
const SPACED = new RegExp(
  String.raw`(?:^|[,;|] ?|\s-\s)\s*([A-Za-z][A-Za-z0-9_²\- ]{0,40}?) (${NUMBER})(%)?(?=\s*(?:$|[,;|]|\s-\s|\())`,
  'g',
);
/** A line of nothing but `name=number` pairs: here every name counts. */
const ONLY_PAIRS = new RegExp(String.raw`^\s*(?:[A-Za-z_][\w.@/-]{0,40}=${NUMBER}%?[\s,;|]*)+$`);

const COUNTER_NAME = /^(?:epochs?|steps?|iter(?:ation)?s?|round|batch|trial|global_step)$/i;

/** What scripts print by themselves. */
export const plain: ParserKind = {
  name: 'plain',
  create: () => (line) => {
    if (!/\d/.test(line)) return undefined;
    const parsed: Parsed = {};
    readCounters(line, parsed);
    const metrics = readPairs(line);
    if (metrics) parsed.metrics = metrics;
    return parsed.metrics || parsed.progress || parsed.step !== undefined || parsed.epoch !== undefined
      ? parsed
      : undefined;
  },
};

function readCounters(line: string, parsed: Parsed): void {
  if (!/epoch|step|iter|round|batch|trial/i.test(line)) return;
  let best: Progress | undefined;
  for (const [, word, current, total] of line.matchAll(COUNTER)) {
    const unit = word!.toLowerCase() === 'iter' ? 'iteration' : word!.toLowerCase();
    const value = Number(current);
    if (unit === 'epoch') parsed.epoch ??= value;
    else if (unit !== 'batch') parsed.step ??= value;
    if (total !== undefined && Number(total) > 0 && (best === undefined || unit === 'epoch'))
      best = { current: value, total: Number(total), fraction: Math.min(1, value / Number(total)), unit };
  }
  if (best) parsed.progress = best;
}

function readPairs(line: string): Record<string, number> | undefined {
  let metrics: Record<string, number> | undefined;
  const add = (name: string | undefined, value: number, percent: boolean): void => {
    if (name === undefined || name === '' || !Number.isFinite(value) || COUNTER_NAME.test(name)) return;
    metrics ??= Object.create(null) as Record<string, number>;
    metrics[name] ??= percent && isRatio(name) ? Number((value / 100).toPrecision(15)) : value;
  };
  if (/[:=]| is |->/.test(line)) {
    const all = line.includes('=') && ONLY_PAIRS.test(line);
    for (const [, printed, number, of, percent] of line.matchAll(PAIR)) {
      const name = nameOf(printed!, all);
      if (of !== undefined) {
        // `Accuracy: 9913/10000`: a share, but only of something that is one.
        if (name !== undefined && isRatio(name) && Number(of) > 0)
          add(name, Number(number) / Number(of), false);
      } else add(name, Number(number), percent !== undefined);
    }
  }
  if (metrics === undefined && line.length < 400)
    for (const [, printed, number, percent] of line.matchAll(SPACED))
      if (number!.includes('.') || percent)
        add(canonicalMetric(printed!), Number(number), percent !== undefined);
  return metrics;
}

/** The metric's name in the words before a separator: all of them, or the last one, two or three. */
function nameOf(printed: string, anyName: boolean): string | undefined {
  const whole = printed.trim();
  const direct = canonicalMetric(whole);
  if (direct !== undefined) return direct;
  if (anyName) return plainName(whole);
  const words = whole.split(/ +/);
  for (let count = Math.min(4, words.length - 1); count > 0; count -= 1) {
    const name = canonicalMetric(words.slice(-count).join(' '));
    if (name !== undefined) return name;
  }
  return metricName(words.length <= 3 ? whole : words.at(-1)!);
}
