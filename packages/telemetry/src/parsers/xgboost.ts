import { boostingMetrics } from './boosting-names.ts';
import { NUMBER, type ParserKind } from './parser.ts';

const ENTRY = new RegExp(String.raw`^(.{1,80})-([\w@.:\-]{1,40}):(${NUMBER})(?:\+${NUMBER})?$`);

/** `[0]\ttrain-logloss:0.44572\teval-auc:1.00000`; of cross-validation the mean (`0.35+0.002`). */
export const xgboost: ParserKind = {
  name: 'xgboost',
  create: () => (line) => {
    if (!line.startsWith('[')) return undefined;
    const round = /^\[(\d+)\]\t/.exec(line);
    if (round === null) return undefined;
    const found = [];
    for (const part of line.slice(round[0].length).split('\t')) {
      const entry = ENTRY.exec(part);
      if (entry === null) return undefined;
      found.push({ set: entry[1]!, metric: entry[2]!, value: Number(entry[3]) });
    }
    const metrics = boostingMetrics(found);
    const step = Number(round[1]);
    return { step, progress: { current: step + 1, unit: 'round' }, ...(metrics && { metrics }) };
  },
};
