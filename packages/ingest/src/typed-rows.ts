import { writeFile } from 'node:fs/promises';
import type { ColumnReading } from './column-reading.ts';
import { sqlReal, sqlText, trimmed } from './column-sql.ts';
import { type CellChange, cellExamples, countCellChanges } from './count-changes.ts';
import { markRepeated } from './drop-duplicates.ts';
import { allEnded, type Engine, toNumber } from './engine.ts';
import { rawName, type StrictSource, type Unread, unreadIn } from './load-table.ts';
import type { ColumnHint, FoundChange, LoadedRows } from './loaded-rows.ts';
import type { ColumnPlan } from './result.ts';
import { type Measured, type MeasuredColumn, measureColumns, modeOf } from './statistics.ts';

/** Rows of a page when the numbers of rows are asked for. */
const pageSize = 50_000;

/** Rows in the engine's table `typed`. */
export class TypedRows implements LoadedRows {
  readonly read: number;
  readonly unread: readonly Unread[];
  readonly #engine: Engine;
  readonly #source: StrictSource;
  readonly #readings: readonly ColumnReading[];
  readonly #tokens: readonly string[];
  /** Conditions of the rows that are left out. */
  readonly #late: string[] = [];
  #changes: CellChange[][] = [];

  constructor(
    engine: Engine,
    source: StrictSource,
    readings: readonly ColumnReading[],
    tokens: readonly string[],
    loaded: { rows: number; unread: Unread[] },
  ) {
    this.#engine = engine;
    this.#source = source;
    this.#readings = readings;
    this.#tokens = tokens;
    this.read = loaded.rows;
    this.unread = loaded.unread;
  }

  /** Relation of the rows that stay. */
  get kept(): string {
    return this.#late.length > 0 ? 'kept' : 'typed';
  }

  async leaveOutMissing(column: number): Promise<number> {
    const where = `v${column} IS NULL`;
    const count = toNumber((await this.#engine.row(`SELECT count(*) AS n FROM typed WHERE ${where}`)).n);
    if (count > 0) await this.#leaveOut(where);
    return count;
  }

  async leaveOutRepeated(): Promise<number> {
    await this.#engine.run('DROP VIEW IF EXISTS kept');
    const count = await markRepeated(this.#engine, this.#readings.length, this.#late);
    if (count > 0) this.#late.push('again');
    await this.#makeView();
    return count;
  }

  async #leaveOut(where: string): Promise<void> {
    this.#late.push(where);
    await this.#makeView();
  }

  async #makeView(): Promise<void> {
    const excluded = this.#late.map((one) => `NOT (${one})`).join(' AND ');
    if (excluded)
      await this.#engine.run(`CREATE OR REPLACE VIEW kept AS SELECT * FROM typed WHERE ${excluded}`);
  }

  async leftOut(): Promise<Uint8Array[]> {
    const all: Uint8Array[] = [];
    for (const where of this.#late) {
      const bits = new Uint8Array(Math.ceil(this.read / 8));
      for (let from = -1; ; ) {
        const page = await this.#engine.rows(
          `SELECT rowid AS id FROM typed WHERE (${where}) AND rowid > ${from} ORDER BY rowid LIMIT ${pageSize}`,
        );
        for (const row of page) bits[Number(row.id) >> 3]! |= 1 << (Number(row.id) & 7);
        if (page.length < pageSize) break;
        from = Number(page.at(-1)!.id);
      }
      all.push(bits);
    }
    return all;
  }

  async measure(hints: readonly ColumnHint[], held: number | undefined): Promise<MeasuredColumn[]> {
    const measuring = measureColumns(
      this.#engine,
      hints.map((hint, i): Measured => ({ ...hint, from: this.kept, value: `v${i}` })),
      held,
    );
    const counts = measuring.then((list) => list.map(({ stats }) => stats.count));
    counts.catch(() => {});
    await using second = await this.#engine.beside();
    const [measured, changes] = await allEnded(
      measuring,
      countCellChanges(second, this.kept, this.#readings, this.#tokens, counts),
    );
    this.#changes = changes;
    return measured;
  }

  async changes(column: number): Promise<FoundChange[]> {
    const found: FoundChange[] = [];
    for (const change of this.#changes[column]!)
      found.push({
        kind: change.kind,
        count: change.count,
        examples: change.count === 0 ? [] : await cellExamples(this.#engine, this.#source, column, change),
      });
    return found;
  }

  async near(
    column: number,
    value: number,
    side: 'above' | 'below',
  ): Promise<{ times: number; next: number }> {
    const at = sqlReal(value);
    const x = `CAST(v${column} AS DOUBLE)`;
    const nearest = side === 'above' ? `min(${x}) FILTER (${x} > ${at})` : `max(${x}) FILTER (${x} < ${at})`;
    const [times, next] = await this.#engine.aggregates(this.kept, [
      `count(*) FILTER (${x} = ${at})`,
      nearest,
    ]);
    return { times: toNumber(times), next: toNumber(next) };
  }

  mode(column: number, clip: ColumnPlan['clip']): Promise<string | null> {
    const { type } = this.#readings[column]!;
    const bound = (value: number): string =>
      type === 'integer' ? `CAST('${value}' AS BIGINT)` : sqlReal(value);
    const v = `v${column}`;
    const cases = [
      ...(typeof clip?.min === 'number' ? [`WHEN ${v} < ${bound(clip.min)} THEN ${bound(clip.min)}`] : []),
      ...(typeof clip?.max === 'number' ? [`WHEN ${v} > ${bound(clip.max)} THEN ${bound(clip.max)}`] : []),
    ];
    const value = cases.length > 0 ? `CASE ${cases.join(' ')} ELSE ${v} END` : v;
    return modeOf(this.#engine, this.kept, value);
  }

  async outside(column: number, { min, max }: NonNullable<ColumnPlan['clip']>): Promise<number[]> {
    const x = `CAST(v${column} AS DOUBLE)`;
    const where = [
      ...(min === null ? [] : [`${x} < ${sqlReal(min)}`]),
      ...(max === null ? [] : [`${x} > ${sqlReal(max)}`]),
    ];
    const [values] = await this.#engine.numbers(
      `SELECT ${x} FROM ${this.kept} WHERE ${where.join(' OR ')} LIMIT 5`,
    );
    return [...values!];
  }

  async writeUnread(path: string, names: readonly string[]): Promise<void> {
    const columns = [...names.keys()].filter((i) => this.unread[i]!.count > 0);
    if (columns.length === 0) return writeFile(path, 'row,column,text\n', { flag: 'wx' });
    const parts = columns.map((i) => {
      const reading = this.#readings[i]!;
      return `SELECT rowid + 1 AS "row", ${i} AS place, ${sqlText(names[i]!)} AS "column", ${trimmed(rawName(i, reading))} AS "text" FROM typed WHERE ${unreadIn(i, reading, this.#tokens)}`;
    });
    await this.#engine.run(
      `COPY (SELECT "row", "column", "text" FROM (${parts.join(' UNION ALL ')}) ORDER BY "row", place) TO ${sqlText(path)} (FORMAT csv, HEADER true)`,
    );
  }
}
