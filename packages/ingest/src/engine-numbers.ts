import { sqlReal } from './column-sql.ts';
import type { Engine } from './engine.ts';
import type { NumberSource, SomeBins } from './number-source.ts';
import type { Tally } from './number-tally.ts';
import { type Bounds, binWidth } from './quantiles.ts';

/** Columns that are read in one pass. */
const together = 100;

/** The bin that a value within the bounds falls into, as `binOf` says it; the largest values may stand further on. */
function binSql(x: string, bounds: Bounds, size: number): string {
  const width = binWidth(bounds, size);
  if (width === Infinity) return `CASE WHEN ${x} IS NOT NULL THEN 0 END`;
  const place = Number.isFinite(bounds.max - bounds.min)
    ? `(${x} - ${sqlReal(bounds.min)}) / ${sqlReal(width)}`
    : `${x} / ${sqlReal(width)} - ${sqlReal(bounds.min / width)}`;
  // Rows outside the bounds may be looked at before they are left out.
  return `TRY_CAST(floor(${place}) AS INTEGER)`;
}

const withinSql = (x: string, within: Bounds | null): string =>
  within ? `${x} >= ${sqlReal(within.min)} AND ${x} <= ${sqlReal(within.max)}` : 'true';

/** Numbers of a relation in the engine. */
export class EngineNumbers implements NumberSource {
  readonly #engine: Engine;
  readonly #from: string;
  readonly #values: readonly string[];

  /** @param values SQL of each column's number over `from`. */
  constructor(engine: Engine, from: string, values: readonly string[]) {
    this.#engine = engine;
    this.#from = from;
    this.#values = values;
  }

  async first(columns: readonly number[], rows: number): Promise<Float64Array[]> {
    const found: Float64Array[] = [];
    for (let at = 0; at < columns.length; at += together) {
      const list = columns.slice(at, at + together).map((column) => this.#orNaN(column));
      const pieces = await this.#engine.numbers(`SELECT ${list.join(', ')} FROM ${this.#from} LIMIT ${rows}`);
      found.push(...pieces.map((piece) => piece.filter((value) => !Number.isNaN(value))));
    }
    return found;
  }

  async tally(columns: readonly { column: number; tally: Tally }[]): Promise<void> {
    for (let at = 0; at < columns.length; at += together) {
      const group = columns.slice(at, at + together);
      const list = group.map(({ column }) => this.#orNaN(column)).join(', ');
      await this.#engine.eachPiece(`SELECT ${list} FROM ${this.#from}`, (pieces) => {
        for (let i = 0; i < group.length; i++) group[i]!.tally.push(pieces[i]!);
      });
    }
  }

  async inBins(column: number, bins: SomeBins): Promise<Float64Array> {
    const [values] = await this.#engine.numbers(
      `SELECT ${this.#x(column)} FROM ${this.#from} WHERE ${this.#inSql(column, bins)}`,
    );
    return values!;
  }

  async endsOf(column: number, bins: SomeBins): Promise<Bounds> {
    const x = this.#x(column);
    const [min, max] = await this.#engine.numbers(
      `SELECT min(${x}), max(${x}) FROM ${this.#from} WHERE ${this.#inSql(column, bins)}`,
    );
    return { min: min![0]!, max: max![0]! };
  }

  async countBins(column: number, bounds: Bounds, size: number): Promise<Float64Array> {
    const x = this.#x(column);
    const bins = new Float64Array(binWidth(bounds, size) === Infinity ? 1 : size);
    const list = `SELECT ${binSql(x, bounds, bins.length)} AS bin FROM ${this.#from} WHERE ${withinSql(x, bounds)}`;
    const answer = await this.#engine.numbers(
      `SELECT CAST(coalesce(bin, -1) AS DOUBLE), CAST(count(*) AS DOUBLE) FROM (${list}) GROUP BY bin`,
    );
    answer[0]?.forEach((bin, i) => {
      if (bin >= 0) bins[Math.min(bin, bins.length - 1)]! += answer[1]![i]!;
    });
    return bins;
  }

  #x(column: number): string {
    return `CAST(${this.#values[column]!} AS DOUBLE)`;
  }

  #orNaN(column: number): string {
    return `coalesce(${this.#x(column)}, CAST('NaN' AS DOUBLE))`;
  }

  #inSql(column: number, { bounds, size, bins, within }: SomeBins): string {
    const x = this.#x(column);
    const place = binSql(x, bounds, size);
    const last = size - 1;
    const behind = bins.includes(last) ? ` OR ${place} > ${last}` : '';
    return `${withinSql(x, within)} AND (${place} IN (${bins.join(', ')})${behind})`;
  }
}
