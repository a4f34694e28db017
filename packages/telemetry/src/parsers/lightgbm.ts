import { boostingMetrics } from './boosting-names.ts';
import { NUMBER, type ParserKind } from './parser.ts';

const ENTRY = new RegExp(
  String.raw`^(.{1,80})'s ((?:train |valid )?)([\w@.\-]{1,40}): (${NUMBER})(?: \+ ${NUMBER})?$`,
);

/** `[1]\tvalid_0's l2: 0.24288`; of cross-validation the mean (`cv_agg's valid auc: 0.9 + 0.01`). */
export const lightgbm: ParserKind = {
  name: 'lightgbm',
  create: () => {
    // "Early stopping, best iteration is:" repeats the best iteration's line.
    let repeats = false;
    return (line) => {
      if (line.endsWith('est iteration is:')) {
        repeats = true;
        return undefined;
      }
      const round = line.startsWith('[') ? /^\[(\d+)\]\t/.exec(line) : null;
      if (round === null) return undefined;
      const found = [];
      for (const part of line.slice(round[0].length).split('\t')) {
        const entry = ENTRY.exec(part);
        if (entry === null) return undefined;
        found.push({ set: `${entry[1]} ${entry[2]}`.trim(), metric: entry[3]!, value: Number(entry[4]) });
      }
      const metrics = boostingMetrics(found);
      const again = repeats;
      repeats = false;
      if (again) return metrics && { metrics };
      const step = Number(round[1]);
      return { step, progress: { current: step, unit: 'round' }, ...(metrics && { metrics }) };
    };
  },
};
