import type { Progress } from '../types.ts';
import { unitSeconds } from './duration.ts';
import { metricName } from './metric-names.ts';
import { finiteMetrics, NUMBER, type ParserKind } from './parser.ts';

/** `45/100 ━━━━ 3s 12ms/step - accuracy: 0.9123 - loss: 2.1000e-04`, or with ` - ` in place of the bar. */
const BAR = /^ *(\d+)\/(\d+|Unknown) +(?:[━╸╺=>.[\]]+|-) *((?:\d+[hms]|\d+:\d+)[^ ]*)?([^-]*)(?: - (.*))?$/;
const EPOCH = /^Epoch (\d+)\/(\d+)$/;
const PAIR = new RegExp(String.raw`([\w./@ ]{1,60}?): (${NUMBER})(?= - |\s*$)`, 'g');

export const keras: ParserKind = {
  name: 'keras',
  create: () => {
    // A bar counts the batches of the epoch named on the line before it; evaluate() has no epoch:
    // its bar starts again, or has another number of batches, without a new header.
    let epoch = 0;
    let epochs = 0;
    let last = 0;
    let perEpoch: number | undefined;
    return (line) => {
      const header = EPOCH.exec(line);
      if (header) {
        epoch = Number(header[1]);
        epochs = Number(header[2]);
        last = 0;
        perEpoch = undefined;
        const progress: Progress = { current: epoch - 1, total: epochs, unit: 'epoch' };
        progress.fraction = epochs > 0 ? Math.min(1, (epoch - 1) / epochs) : 0;
        return { epoch, progress };
      }
      if (!line.includes('/') || !/^ *\d+\//.test(line)) return undefined;
      const bar = BAR.exec(line);
      if (!bar || !(line.includes('━') || line.includes('/step') || line.includes(' - '))) return undefined;
      const batch = Number(bar[1]);
      const batches = bar[2] === 'Unknown' ? undefined : Number(bar[2]);
      if (epoch > 0 && (batch < last || (perEpoch !== undefined && batches !== perEpoch))) epoch = epochs = 0;
      last = batch;
      perEpoch = batches;
      const metrics = finiteMetrics(
        [...(bar[5] ?? '').matchAll(PAIR)].map(([, name, value]) => [
          metricName(name!) ?? name!.trim(),
          Number(value),
        ]),
      );
      const progress: Progress = { current: batch, unit: 'step' };
      if (batches !== undefined && batches > 0) {
        const before = epoch > 0 ? (epoch - 1) * batches : 0;
        progress.current = before + batch;
        progress.total = epochs > 0 ? epochs * batches : batches;
        progress.fraction = Math.min(1, progress.current / progress.total);
      }
      const pace = /([\d.]{1,20} ?(?:us|µs|ms|s))\/step/.exec(bar[4] ?? '');
      const seconds = pace ? unitSeconds(pace[1]!) : undefined;
      if (seconds) progress.rate = 1 / seconds;
      return {
        progress,
        ...(metrics && { metrics }),
        ...(epoch > 0 && { epoch, step: progress.current }),
      };
    };
  },
};
