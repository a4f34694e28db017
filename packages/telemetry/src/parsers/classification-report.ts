import type { ParserKind } from './parser.ts';

const ROW = /^ *(\S.{0,100}?) {1,50}(\d?\.\d{1,20}) +(\d?\.\d{1,20}) +(\d?\.\d{1,20}) +(\d{1,20})$/;
const ACCURACY = /^ *accuracy +(\d?\.\d+) +\d+$/;
const AVERAGE = /^(macro|micro|weighted) avg$/;

/** The table that `sklearn.metrics.classification_report` makes, however many digits it has. */
export const classificationReport: ParserKind = {
  name: 'classification-report',
  create: () => {
    let rows: number[][] | undefined; // per class: precision, recall, f1
    return (line) => {
      if (line.includes('f1-score') && /^ +precision +recall +f1-score +support$/.test(line)) {
        rows = [];
        return {};
      }
      if (rows === undefined) return undefined;
      if (line === '') return {};
      const accuracy = ACCURACY.exec(line);
      if (accuracy) return { metrics: { accuracy: Number(accuracy[1]) } };
      const row = ROW.exec(line);
      if (row === null) {
        rows = undefined;
        return undefined;
      }
      const [precision, recall, f1] = [Number(row[2]), Number(row[3]), Number(row[4])] as const;
      const average = AVERAGE.exec(row[1]!);
      if (average === null) {
        if (rows.length < 10_000) rows.push([precision, recall, f1]);
        return {};
      }
      const kind = average[1]!;
      const metrics: Record<string, number> = {
        [`precision_${kind}`]: precision,
        [`recall_${kind}`]: recall,
        [`f1_${kind}`]: f1,
      };
      if (kind === 'macro') {
        // As vgpu.report has it: of two classes the second counts, of more the mean.
        const [p, r, f] = rows.length === 2 ? rows[1]! : [precision, recall, f1];
        Object.assign(metrics, { precision: p, recall: r, f1: f });
      }
      if (kind === 'weighted') rows = undefined;
      return { metrics };
    };
  },
};
