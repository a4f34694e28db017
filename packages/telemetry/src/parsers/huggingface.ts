import { metricName, plainName } from './metric-names.ts';
import { finiteMetrics, NUMBER, type ParserKind } from './parser.ts';

/** Up to release 4 the Trainer prints numbers, from 5 on numbers in quotes. */
const PAIR = new RegExp(`['"]([^'"]{1,80})['"]: *['"]?(${NUMBER})['"]?(?=[,}])`, 'g');
/** Speeds and durations, not metrics. */
const IGNORED = /runtime|per_second|total_flos|^epoch$|^step$|^num_/;

/** A line that is one Python or JSON dictionary, such as `{'loss': 0.71, 'learning_rate': 4e-05, 'epoch': 2.3}`. */
export const huggingface: ParserKind = {
  name: 'huggingface',
  create: () => (line) => {
    const text = line.trim();
    if (!text.startsWith('{') || !text.endsWith('}')) return undefined;
    const pairs = new Map<string, number>();
    for (const [, key, value] of text.matchAll(PAIR)) pairs.set(key!, Number(value));
    if (pairs.size === 0) return undefined;
    const epoch = pairs.get('epoch');
    const step = pairs.get('step') ?? pairs.get('global_step') ?? pairs.get('iteration');
    const metrics = finiteMetrics(
      [...pairs]
        .filter(([key]) => !IGNORED.test(key))
        .map(([key, value]) => [metricName(key) ?? plainName(key), value] as const)
        .filter(([name]) => name !== ''),
    );
    if (metrics === undefined && epoch === undefined) return undefined;
    return {
      ...(metrics && { metrics }),
      ...(epoch !== undefined && { epoch }),
      ...(step !== undefined && { step }),
    };
  },
};
