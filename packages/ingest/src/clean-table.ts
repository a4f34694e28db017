import type { CleanOptions } from '@vgpu/core';
import { asideWords } from './aside-words.ts';
import type { ChangeLog } from './change-log.ts';
import { checkNames } from './clean-options.ts';
import { cleanerVersion } from './cleaner-version.ts';
import { nameColumns } from './column-names.ts';
import { type ColumnReading, fileDecimal, planReading, type ReadingHints } from './column-reading.ts';
import { duckType } from './column-sql.ts';
import { logCellChanges, logClipped } from './count-changes.ts';
import { describeReading, unitOf } from './describe-reading.ts';
import type { Engine } from './engine.ts';
import { loadStore } from './load-store.ts';
import { loadTable, ReadersDisagree, strictScan } from './load-table.ts';
import type { ColumnHint, LoadedRows } from './loaded-rows.ts';
import { missingTokens } from './missing-tokens.ts';
import { NumberOutcomes } from './number-outcomes.ts';
import type { OpenedTable } from './opened-table.ts';
import type { ColumnPlan, ColumnReport, ColumnStats, ColumnType, Report } from './result.ts';
import { sampleCells } from './sample-cells.ts';
import { badDataset } from './source-file.ts';
import { headerLikeRows } from './stacked-tables.ts';
import { type Treatment, treatColumn } from './treat-column.ts';
import { TypedRows } from './typed-rows.ts';

export interface CleanedTable {
  /** Figures after cleaning, still to be counted. */
  outcomes: NumberOutcomes;
  /** The report, once they are; to be asked for once. */
  complete(): Promise<Report>;
  /** Malformed rows and those refused for their values. */
  rejected: number;
  /** Final columns: name and SQL over `kept`. */
  output: {
    name: string;
    sql: string;
    type: string;
    /**
     * Where the column's numbers were written with equally many decimals, and that text reads back as the very
     * same double in every row: they keep them in the CSV.
     */
    decimals?:
      | {
          count: number;
          /** SQL of the value before treatment. */
          value: string;
          cases: Treatment['cases'];
        }
      | undefined;
    /** The column it comes from; absent for indicators. */
    from?: { index: number; type: ColumnType; before: ColumnStats; plan: ColumnPlan };
    /** For indicators: the loaded column whose missing values they show. */
    indicates?: number;
  }[];
  /** Relation of the rows that stay, where the engine has them. */
  kept: string | null;
  /** The rows that were read, of all columns. */
  rows: LoadedRows;
  /** Names of the loaded columns. */
  names: string[];
  /** Why loaded rows are not kept: in the order of `rows.leftOut()`. */
  late: { reason: string; count: number }[];
}

export interface CleanTableOptions {
  clean: CleanOptions;
  target: string | undefined;
  /** Values that quantiles may hold in memory. */
  held?: number | undefined;
  /** Figures of the cleaned columns too. */
  after: boolean;
  onMeasured?: ((done: number) => void) | undefined;
  /** Where threads keep the table's columns: a file, or null for memory; absent where the engine is to read it. */
  store?: { path: string | null } | undefined;
  /** Whether both readers see the same first rows. */
  agreed: Promise<boolean>;
}

/** Whether DuckDB's strict reader and the tolerant reader see the same first rows. */
export async function readersAgree(engine: Engine, opened: OpenedTable): Promise<boolean> {
  try {
    const seen = await engine.rows(
      `SELECT * FROM ${strictScan(opened.strict)} LIMIT ${opened.firstRows.length}`,
    );
    return (
      seen.length === opened.firstRows.length &&
      seen.every((row, k) => opened.firstRows[k]!.every((cell, i) => String(row[`c${i}`] ?? '') === cell))
    );
  } catch {
    return false;
  }
}

/** The table's values: read by threads where that is asked for and possible, else by the engine. */
async function loadRows(
  engine: Engine,
  { strict, facts }: OpenedTable,
  readings: ColumnReading[],
  samples: readonly (readonly string[])[],
  hints: (column: number) => ReadingHints,
  { store, agreed }: CleanTableOptions,
): Promise<LoadedRows> {
  if (!(await agreed)) throw new ReadersDisagree('first rows');
  const stored =
    store && (await loadStore(engine, engine.workers, strict, readings, samples, hints, facts, store.path));
  if (stored) return stored;
  const loaded = await loadTable(engine, strict, readings, samples, hints, facts);
  return new TypedRows(engine, strict, readings, [...hints(0).missing], loaded);
}

/** Values, plans and figures of every column of an opened table. Leaves `typed` and `kept` in the engine. */
export async function cleanTable(
  engine: Engine,
  opened: OpenedTable,
  options: CleanTableOptions,
): Promise<CleanedTable> {
  const { clean, target } = options;
  const { layout, strict } = opened;
  const changes: ChangeLog = opened.changes;
  const warnings = [...opened.warnings];
  const outside = asideWords(changes);
  if (outside) warnings.push(outside);
  const headerRows = layout.unitRow ? layout.header.slice(0, 1) : layout.header;
  const named = nameColumns(headerRows, layout.width, layout.rowNames);
  const names = named.map((one) => one.name);
  checkNames(names, target, clean);
  for (const one of named)
    if (one.why) changes.add(`header.${one.why}`, one.name, { before: one.original ?? '', after: one.name });

  const samples = await sampleCells(
    strict.path,
    strict.offset,
    { delimiter: strict.delimiter, collapse: false, quote: strict.quote, escape: strict.quote },
    layout.width,
    strict.encoding === 'latin-1' ? 'latin1' : 'utf8',
  );
  const decimal = clean.decimal ?? fileDecimal(samples, opened.dialect.delimiter);
  const tokens = clean.missing ? ['', ...clean.missing] : [...missingTokens];
  const missing = new Set(tokens);
  const hints = (i: number): ReadingHints => ({
    decimal,
    dates: clean.dates ?? null,
    missing,
    forced: clean.columns?.[names[i]!]?.type,
  });
  const readings = samples.map((cells, i) => planReading(cells, hints(i)));
  // The target's labels stay as they are written, even where they look like yes and no.
  const targetIndex = target === undefined ? -1 : names.indexOf(target);
  if (readings[targetIndex]?.type === 'boolean' && !hints(targetIndex).forced)
    readings[targetIndex] = planReading(samples[targetIndex]!, { ...hints(targetIndex), forced: 'text' });
  const loading = loadRows(engine, opened, readings, samples, hints, options);
  opened.look();
  const table = await loading;
  const { read, unread } = table;
  const { sha256, tables } = await opened.facts;
  for (const { row, cells } of headerLikeRows(readings, unread).slice(0, 3))
    warnings.push(
      `Row ${row} reads like the header of another table ("${cells.slice(0, 3).join('", "')}"${cells.length > 3 ? ', …' : ''}): if one begins there, put it into a file of its own.`,
    );
  if (read === 0) throw badDataset(opened.source.name, 'has a header and no rows');

  const late: CleanedTable['late'] = [];
  if (targetIndex >= 0) {
    const count = await table.leaveOutMissing(targetIndex);
    if (count === read) throw badDataset(opened.source.name, `has no value in its target column "${target}"`);
    if (count > 0) late.push({ reason: `has no value for the target "${target}"`, count });
  }
  if (clean.dropDuplicates) {
    const count = await table.leaveOutRepeated();
    if (count > 0) late.push({ reason: 'repeats an earlier row', count });
  }
  const lateCount = late.reduce((sum, one) => sum + one.count, 0);
  const rows = read - lateCount;

  const columns: ColumnReport[] = [];
  const output: CleanedTable['output'] = [];
  const taken = new Set(names);
  const measuredColumns = await table.measure(
    readings.map(
      (reading, i): ColumnHint => ({
        type: reading.type,
        repeats: new Set(samples[i]).size <= samples[i]!.length / 20,
        decimals: reading.type === 'number' ? reading.decimals : undefined,
      }),
    ),
    options.held,
  );
  const plans: { i: number; lost: number; treated: Treatment }[] = [];
  for (const [i, reading] of readings.entries()) {
    const isTarget = i === targetIndex;
    const { stats: before, numbers } = measuredColumns[i]!;
    if (before.count === 0 && named[i]!.why === 'empty') {
      changes.add('column.dropped', names[i]!, { before: 'a column without name and values', after: '' });
      continue;
    }
    const lost = rows - before.count;
    const treated = await treatColumn(
      table,
      { index: i, name: names[i]!, reading, target: isTarget, stats: before, numbers, missing: lost, rows },
      clean,
    );
    plans.push({ i, lost, treated });
    options.onMeasured?.((i + 1) / readings.length / 2);
  }
  const outcomes = new NumberOutcomes(
    plans.map(({ i, lost, treated: { plan } }) => ({
      index: i,
      numbers: measuredColumns[i]!.numbers,
      treatment: { clip: plan.clip, fill: plan.fill === null ? null : Number(plan.fill), missing: lost },
    })),
  );
  for (const { i, lost, treated } of plans) {
    const reading = readings[i]!;
    const before = measuredColumns[i]!.stats;
    warnings.push(...treated.warnings);
    if (reading.warning) warnings.push(`"${names[i]}" ${reading.warning}.`);
    logCellChanges(changes, names[i]!, await table.changes(i), unread[i]!);
    const { plan } = treated;
    if (treated.imputed > 0)
      changes.count('cell.imputed', names[i]!, treated.imputed, { before: '', after: String(plan.fill) });
    plan.reading = describeReading(reading);
    const { numbers } = measuredColumns[i]!;
    output.push({
      name: names[i]!,
      sql: treated.final,
      type: duckType(reading.type),
      from: { index: i, type: reading.type, before, plan },
      decimals:
        reading.type === 'number' && reading.decimals !== undefined && numbers?.keepDecimals(reading.decimals)
          ? {
              count: reading.decimals,
              value: `v${i}`,
              cases: treated.cases,
            }
          : undefined,
    });
    if (plan.indicator) {
      while (taken.has(plan.indicator)) plan.indicator += '_';
      taken.add(plan.indicator);
      output.push({
        name: plan.indicator,
        sql: `CAST(v${i} IS NULL AS INTEGER)`,
        type: 'INTEGER',
        indicates: i,
      });
      changes.add('column.indicator', names[i]!, { before: '', after: plan.indicator });
    }
    const report: ColumnReport = {
      name: names[i]!,
      original: named[i]!.original,
      type: reading.type,
      identifier: reading.identifier,
      target: i === targetIndex,
      unit: unitOf(layout.unitRow?.[i], layout.header[0]?.[i] ?? '', reading),
      missing: lost,
      unreadable: unread[i]!.count,
      imputed: treated.imputed,
      clipped: 0,
      outliers: 0,
      plan,
      before,
    };
    if (options.after) report.after = { count: before.count + treated.imputed };
    columns.push(report);
  }
  const thousands =
    readings.map((reading) => reading.number?.thousands ?? '').find((mark) => mark !== '') ?? '';
  const rejected = opened.refused + lateCount;
  const complete = async (): Promise<Report> => {
    const results = await outcomes.results();
    for (const [k, { i, treated }] of plans.entries()) {
      const outcome = results[k];
      if (!outcome) continue;
      const column = columns[k]!;
      Object.assign(column, { clipped: outcome.clipped, outliers: outcome.outliers });
      if (column.after) column.after.numeric = outcome.numeric;
      const { clip } = treated.plan;
      if (clip && outcome.clipped > 0)
        logClipped(changes, names[i]!, clip, await table.outside(i, clip), outcome.clipped);
    }
    return {
      schema: 1,
      cleaner: cleanerVersion,
      source: { bytes: opened.source.bytes, sha256 },
      dialect: { ...opened.dialect, decimal, thousands },
      tables,
      rows,
      rejected,
      rejections: [],
      columns,
      changes: changes.list(),
      warnings,
      reader: opened.reader,
    };
  };
  return {
    outcomes,
    complete,
    rejected,
    output,
    kept: table instanceof TypedRows ? table.kept : null,
    rows: table,
    names,
    late,
  };
}
