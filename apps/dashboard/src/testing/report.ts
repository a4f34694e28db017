import type { CleaningReport } from '@vgpu/api';
import { randomOf } from './seed.ts';

/** A cleaning report with something of each kind. */
export function report(file: string): CleaningReport {
  const random = randomOf(3);
  const numbers = ['tenure_months', 'monthly_charges', 'total_charges', 'support_calls', 'age'];
  const words = ['contract', 'payment_method', 'internet_service', 'gender', 'label'];
  return {
    file,
    bytes: 977_501,
    rows: 7040,
    rejected: 3,
    target: 'label',
    dialect: { delimiter: ';', quote: '"', encoding: 'utf-8', header: true, decimal: ',', preamble: 1 },
    columns: [
      ...numbers.map((name, i) => ({
        name,
        type: i === 3 ? 'integer' : 'number',
        missing: i * 11,
        unit: name.includes('charges') ? '€' : null,
        distinct: 730 - i * 60,
        min: 0,
        max: 118.75 * (i + 1),
        mean: 64.76,
        median: 70.35,
        std: 30.1,
        imputed: i * 11,
        clipped: i * 17,
        plan: i
          ? `fill ${i * 11} missing with the median 70.35; clip to the 1st and 99th percentile`
          : 'keep as it is',
        histogram: {
          edges: Array.from({ length: 21 }, (_, k) => k * 6),
          labels: null,
          counts: Array.from({ length: 20 }, (_, k) =>
            Math.round(700 * Math.exp(-(((k - 6 - i * 2) / 5) ** 2)) + random() * 90),
          ),
        },
      })),
      ...words.map((name, i) => ({
        name,
        type: 'category',
        missing: i === 1 ? 9 : 0,
        unit: null,
        distinct: 2 + i,
        min: null,
        max: null,
        mean: null,
        median: null,
        std: null,
        imputed: i === 1 ? 9 : 0,
        clipped: 0,
        plan:
          name === 'label'
            ? 'the target: never filled or clipped'
            : i === 1
              ? 'fill 9 missing with the most frequent value'
              : 'keep as it is',
        histogram: {
          edges: null,
          labels: ['month-to-month', 'one year', 'two years'].slice(0, 2 + (i % 2)),
          counts: [3875, 1695, 1473].slice(0, 2 + (i % 2)),
        },
      })),
    ],
    changes: [
      {
        kind: 'unit',
        column: 'monthly_charges',
        count: 7040,
        description: 'removed the unit € and read the decimal comma',
        examples: [
          { row: 2, before: '29,85 €', after: '29.85' },
          { row: 3, before: '56,95 €', after: '56.95' },
        ],
      },
      {
        kind: 'impute',
        column: 'total_charges',
        count: 22,
        description: 'filled missing values with the median',
        examples: [{ row: 489, before: '', after: '1397.475' }],
      },
      {
        kind: 'clip',
        column: 'support_calls',
        count: 51,
        description: 'clipped to the 1st and 99th percentile',
        examples: [{ row: 1201, before: '118', after: '9' }],
      },
      {
        kind: 'reject',
        column: null,
        count: 3,
        description: 'rows with too many fields were set aside',
        examples: [{ row: 3310, before: 'a;b;c;d;e;f;g;h;i;j;k;l', after: null }],
      },
    ],
    warnings: ['tenure_months and total_charges are 0.83 correlated with each other'],
  };
}
