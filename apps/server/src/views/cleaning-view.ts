import type { CleaningReport } from '@vgpu/api';
import type { ColumnReport, ColumnStats, HistogramBin, Report } from '@vgpu/ingest';

type ColumnView = CleaningReport['columns'][number];

/** What cleaning does to a column, in one sentence. */
function planOf(column: ColumnReport): string {
  const { plan } = column;
  const parts = [...plan.reading];
  if (column.target) parts.push('target: rows without it are rejected, nothing else is touched');
  else if (plan.impute !== 'none') parts.push(`missing ← ${plan.impute} (${String(plan.fill)})`);
  if (plan.clip) parts.push(`clipped to ${plan.clip.min ?? '−∞'} … ${plan.clip.max ?? '∞'}`);
  if (plan.indicator) parts.push(`adds ${plan.indicator}`);
  return parts.join('; ') || 'kept as it is';
}

function histogramOf(stats: ColumnStats, bins: readonly HistogramBin[] | undefined): ColumnView['histogram'] {
  if (bins && bins.length > 0) {
    return {
      edges: [bins[0]!.from, ...bins.map((b) => b.to)],
      labels: null,
      counts: bins.map((b) => b.count),
    };
  }
  if (stats.top && stats.top.length > 0) {
    return { edges: null, labels: stats.top.map((t) => t.value), counts: stats.top.map((t) => t.count) };
  }
  return null;
}

function columnView(column: ColumnReport): ColumnView {
  const { before } = column;
  const numeric = column.after?.numeric ?? before.numeric;
  return {
    name: column.name,
    type: column.identifier ? 'identifier' : column.type,
    missing: column.missing,
    unit: column.unit,
    distinct: before.distinct,
    min: numeric?.min ?? before.min ?? null,
    max: numeric?.max ?? before.max ?? null,
    mean: numeric?.mean ?? null,
    median: before.numeric?.median ?? null,
    std: numeric?.std ?? null,
    imputed: column.imputed,
    clipped: column.clipped,
    plan: planOf(column),
    histogram: histogramOf(before, numeric?.histogram),
  };
}

/** A cleaning report in the words of the API. @param columns figures from elsewhere, where the report has none. */
export function cleaningView(report: Report, file: string, columns = report.columns): CleaningReport {
  const { dialect } = report;
  return {
    file,
    bytes: report.source.bytes,
    dialect: {
      delimiter: dialect.delimiter,
      quote: dialect.quote || null,
      encoding: dialect.encoding,
      header: dialect.header > 0,
      decimal: dialect.decimal,
      preamble: dialect.preamble,
    },
    rows: report.rows,
    rejected: report.rejected,
    columns: columns.map(columnView),
    changes: report.changes.map((change) => ({
      kind: change.kind,
      column: change.column ?? null,
      count: change.count,
      description: `${change.count} × ${change.kind}${change.column ? ` in ${change.column}` : ''}`,
      examples: change.examples.map((e) => ({ row: e.row ?? null, before: e.before, after: e.after })),
    })),
    warnings: [
      ...report.warnings,
      ...report.rejections.map(
        (r) => `${r.count} ${r.count === 1 ? 'row was' : 'rows were'} rejected: ${r.reason}`,
      ),
    ],
    target: report.columns.find((c) => c.target)?.name ?? null,
  };
}
