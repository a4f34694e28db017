import type { CleaningReport, Dataset, RouteOutput, routes } from '@vgpu/api';
import { formatBytes } from '@vgpu/core';
import { plain } from '../output/plain.ts';
import { style } from '../output/style.ts';
import { renderTable } from '../output/table.ts';
import { ago } from '../output/words.ts';
import { cleaningText } from './cleaning-report.ts';

type Preview = RouteOutput<typeof routes.datasets.preview>;

/** A dataset for people: versions, report, first rows. */
export function datasetText(dataset: Dataset, report: CleaningReport, preview: Preview): string {
  const versions = renderTable(
    [
      { title: 'version', align: 'right' },
      { title: 'hash', paint: style.dim },
      { title: 'rows', align: 'right' },
      { title: 'size', align: 'right' },
      { title: 'file', shrinks: true },
      { title: 'added', paint: style.dim },
    ],
    dataset.versions.map((one) => [
      one.number,
      one.version.slice(0, 12),
      one.rows,
      formatBytes(one.bytes),
      one.file,
      ago(one.createdAt),
    ]),
  );
  const rows = renderTable(
    preview.columns.map((title) => ({ title: plain(title), shrinks: true })),
    preview.rows.map((row) => row.map((cell) => cell ?? '')),
  );
  return [
    `${style.bold(plain(dataset.name))}  ${style.dim(dataset.id)}`,
    versions,
    '',
    cleaningText(report),
    '',
    rows,
  ].join('\n');
}
