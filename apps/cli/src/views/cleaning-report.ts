import type { CleaningReport } from '@vgpu/api';
import { formatBytes } from '@vgpu/core';
import { plain } from '../output/plain.ts';
import { style } from '../output/style.ts';
import { renderTable } from '../output/table.ts';
import { count } from '../output/words.ts';

const names: Record<string, string> = {
  ',': 'comma',
  ';': 'semicolon',
  '\t': 'tab',
  '|': 'bar',
  ' ': 'blank',
};

const delimiterName = (delimiter: string): string => names[delimiter] ?? `"${delimiter}"`;

/** The dialect in one line. */
function dialectLine({ dialect }: CleaningReport): string {
  const parts = [
    `${delimiterName(dialect.delimiter)}-separated`,
    dialect.encoding,
    dialect.header ? 'with a header' : 'no header',
    `decimal ${dialect.decimal === ',' ? 'comma' : 'point'}`,
  ];
  if (dialect.preamble > 0) parts.push(`${count(dialect.preamble, 'line')} before the table`);
  return parts.join(', ');
}

/** A cleaning report for people: what was found, what is done to each column, what changed. */
export function cleaningText(report: CleaningReport): string {
  const rejected = report.rejected > 0 ? style.yellow(`, ${report.rejected} rejected`) : '';
  const lines = [
    `${style.bold(plain(report.file))}  ${formatBytes(report.bytes)}, ${count(report.rows, 'row')}${rejected}`,
    style.dim(dialectLine(report)),
    '',
    renderTable(
      [
        { title: 'column', shrinks: true },
        { title: 'type' },
        { title: 'unit' },
        { title: 'missing', align: 'right' },
        { title: 'plan', shrinks: true },
      ],
      report.columns.map((column) => [
        column.name === report.target ? `${column.name} (target)` : column.name,
        column.type,
        column.unit ?? '',
        column.missing || '',
        column.plan ?? '',
      ]),
    ),
  ];
  if (report.changes.length > 0) {
    lines.push('', style.dim('changes'));
    for (const change of report.changes) lines.push(`  ${change.count}×  ${plain(change.description)}`);
  }
  for (const warning of report.warnings) lines.push(style.yellow(`! ${plain(warning)}`));
  return lines.join('\n');
}
