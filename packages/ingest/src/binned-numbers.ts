import { sqlReal } from './column-sql.ts';
import {
  clipLimits,
  type NumberFigures,
  type NumberTreatment,
  outcomeFrom,
  outerFences,
  type TreatedNumbers,
} from './distribution.ts';
import { type Engine, toNumber } from './engine.ts';
import {
  type Bounds,
  binsFor,
  binWidth,
  histogramOf,
  quantileAt,
  ranksOf,
  shownBins,
  steady,
} from './quantiles.ts';
import type { NumericSummary } from './result.ts';

/** Bits of the fixed points in which values, and their squares, are summed. */
const valueBits = 52;
const squareBits = 60;

/** The bin that a value within the bounds falls into, as `binOf` says it; the largest value may stand one further. */
function binSql(x: string, bounds: Bounds, size: number): string {
  const width = binWidth(bounds, size);
  if (width === Infinity) return `CASE WHEN ${x} IS NOT NULL THEN 0 END`;
  const place = Number.isFinite(bounds.max - bounds.min)
    ? `(${x} - ${sqlReal(bounds.min)}) / ${sqlReal(width)}`
    : `${x} / ${sqlReal(width)} - ${sqlReal(bounds.min / width)}`;
  // Rows outside the bounds may be looked at before they are left out.
  return `TRY_CAST(floor(${place}) AS INTEGER)`;
}

/** A power of two that brings the bounds' distance to at most 1: scaling by it is exact. */
function unitScale({ min, max }: Bounds): number {
  const range = max - min;
  if (range === Infinity) return 2 ** -1025;
  return range > 0 ? 2 ** Math.min(1022, -Math.ceil(Math.log2(range))) : 1;
}

/** Sums of distances from a centre; in fixed point, so that they come out the same in whatever order threads add. */
class CentredSums {
  readonly #centre: number;
  readonly #scale: number;

  constructor(bounds: Bounds, centre: number) {
    this.#centre = centre;
    this.#scale = unitScale(bounds);
  }

  /** Two aggregates, over SQL of a value that is within the bounds. */
  sql(x: string): string[] {
    const y = `(${x} * ${sqlReal(this.#scale)} - ${sqlReal(this.#centre * this.#scale)})`;
    const fixed = (value: string, bits: number) => `sum(CAST(${value} * ${sqlReal(2 ** bits)} AS BIGINT))`;
    return [fixed(y, valueBits), fixed(`${y} * ${y}`, squareBits)];
  }

  /** Mean and sample standard deviation from what the aggregates gave. */
  moments(sums: readonly unknown[], count: number): { mean: number; std: number } {
    const [sum, squares] = sums.map((one) => BigInt(String(one ?? 0))) as [bigint, bigint];
    const mean = this.#centre + Number(sum) / count / 2 ** valueBits / this.#scale;
    // n·Σy² − (Σy)² in the finer of the two fixed points, without rounding.
    const spread = BigInt(count) * squares * 2n ** BigInt(2 * valueBits - squareBits) - sum * sum;
    const variance = Number(spread) / 2 ** (2 * valueBits) / count / Math.max(1, count - 1);
    return { mean: steady(mean), std: steady(variance > 0 ? Math.sqrt(variance) / this.#scale : 0) };
  }
}

/** A column of numbers that the engine counts, because its distinct values are too many to hold. */
export class BinnedNumbers implements NumberFigures {
  readonly #engine: Engine;
  readonly #from: string;
  readonly #x: string;
  readonly #total: number;
  readonly #bounds: Bounds;
  readonly #held: number;
  #bins: Float64Array = new Float64Array(0);
  #summary: NumericSummary | null = null;

  /**
   * @param value SQL of the column's number over `from`.
   * @param total values that are not missing.
   * @param held values that may be sorted at once.
   */
  constructor(engine: Engine, from: string, value: string, total: number, bounds: Bounds, held: number) {
    this.#engine = engine;
    this.#from = from;
    this.#x = `CAST(${value} AS DOUBLE)`;
    this.#total = total;
    this.#bounds = bounds;
    this.#held = held;
  }

  get summary(): NumericSummary {
    return this.#summary!;
  }

  /** Counts the columns: each by itself in bins, then the sums of all together. */
  static async measure(engine: Engine, from: string, columns: readonly BinnedNumbers[]): Promise<void> {
    const found: { column: BinnedNumbers; quantiles: number[]; sums: CentredSums }[] = [];
    for (const column of columns) {
      column.#bins = await column.#countBins(column.#x, column.#bounds, binsFor(column.#total));
      const quantiles = await column.quantiles([0.01, 0.25, 0.5, 0.75, 0.99]);
      found.push({ column, quantiles, sums: new CentredSums(column.#bounds, quantiles[2]!) });
    }
    const all = await engine.aggregates(
      from,
      found.flatMap(({ column, sums }) => sums.sql(column.#x)),
    );
    found.forEach(({ column, quantiles, sums }, k) => {
      const [p01, p25, median, p75, p99] = quantiles as [number, number, number, number, number];
      column.#summary = {
        ...column.#bounds,
        ...sums.moments(all.slice(2 * k, 2 * k + 2), column.#total),
        histogram: histogramOf(column.#bounds, column.#bins),
        ...{ p01, p25, median, p75, p99 },
      };
    });
  }

  async quantiles(shares: readonly number[]): Promise<number[]> {
    const ranks = new Set(shares.flatMap((share) => ranksOf(share, this.#total)));
    const values = new Map<number, number>();
    await this.#pick([...ranks], 0, this.#bounds, this.#bins, values);
    return shares.map((share) => quantileAt(share, this.#total, (rank) => values.get(rank)!));
  }

  async treated(treatment: NumberTreatment): Promise<TreatedNumbers> {
    const { summary } = this;
    const limits = clipLimits(treatment);
    const fences = outerFences(summary);
    const fill = treatment.missing > 0 ? treatment.fill : null;
    const clips = summary.min < limits.min || summary.max > limits.max;
    const changed = clips || fill !== null;
    const clamp = (value: number) => Math.min(Math.max(value, limits.min), limits.max);
    const ends = [clamp(summary.min), clamp(summary.max), ...(fill === null ? [] : [fill])];
    const bounds = { min: Math.min(...ends), max: Math.max(...ends) };
    const centred = new CentredSums(bounds, Math.min(Math.max(summary.median, bounds.min), bounds.max));
    const final = this.#finalSql(limits, fill);
    const outside = ({ min, max }: Bounds): string => {
      const below = summary.min < min ? [`${this.#x} < ${sqlReal(min)}`] : [];
      const above = summary.max > max ? [`${this.#x} > ${sqlReal(max)}`] : [];
      const where = [...below, ...above].join(' OR ');
      return where === '' ? '0' : `count(*) FILTER (${where})`;
    };
    const wanted = [outside(limits), outside(fences), ...(changed ? centred.sql(final) : [])];
    const none = wanted.every((one) => one === '0');
    const [clipped, outliers, ...sums] = none ? [] : await this.#engine.aggregates(this.#from, wanted);
    const counts = { clipped: toNumber(clipped), outliers: toNumber(outliers) };
    if (!changed) return { ...counts, numeric: outcomeFrom(summary) };
    const bins = await this.#countBins(final, bounds, shownBins);
    const total = this.#total + (fill === null ? 0 : treatment.missing);
    return {
      ...counts,
      numeric: { ...bounds, ...centred.moments(sums, total), histogram: histogramOf(bounds, bins) },
    };
  }

  #finalSql(limits: Bounds, fill: number | null): string {
    const x = this.#x;
    return `CASE ${[
      fill === null ? `WHEN ${x} IS NULL THEN NULL` : `WHEN ${x} IS NULL THEN ${sqlReal(fill)}`,
      ...(Number.isFinite(limits.min)
        ? [`WHEN ${x} < ${sqlReal(limits.min)} THEN ${sqlReal(limits.min)}`]
        : []),
      ...(Number.isFinite(limits.max)
        ? [`WHEN ${x} > ${sqlReal(limits.max)} THEN ${sqlReal(limits.max)}`]
        : []),
    ].join(' ')} ELSE ${x} END`;
  }

  async #countBins(x: string, bounds: Bounds, size: number, where?: string): Promise<Float64Array> {
    const bins = new Float64Array(binWidth(bounds, size) === Infinity ? 1 : size);
    const list = `SELECT ${binSql(x, bounds, bins.length)} AS bin FROM ${this.#from}${where ? ` WHERE ${where}` : ''}`;
    const answer = await this.#engine.numbers(
      `SELECT CAST(coalesce(bin, -1) AS DOUBLE), CAST(count(*) AS DOUBLE) FROM (${list}) GROUP BY bin`,
    );
    answer[0]?.forEach((bin, i) => {
      if (bin >= 0) bins[Math.min(bin, bins.length - 1)]! += answer[1]![i]!;
    });
    return bins;
  }

  /**
   * Values at ranks, exactly and in bounded memory: what few bins hold is sorted, and a bin that holds
   * too much is counted again, finer.
   * @param before values of the column that are smaller than `bounds`.
   */
  async #pick(
    ranks: readonly number[],
    before: number,
    bounds: Bounds,
    bins: Float64Array,
    into: Map<number, number>,
  ): Promise<void> {
    if (bins.length === 1) {
      for (const rank of ranks) into.set(rank, bounds.min);
      return;
    }
    const wanted = new Map<number, { first: number; ranks: number[] }>();
    let first = before;
    const ordered = [...ranks].sort((a, b) => a - b);
    let next = 0;
    for (let bin = 0; bin < bins.length && next < ordered.length; bin++) {
      const inside: number[] = [];
      while (next < ordered.length && ordered[next]! < first + bins[bin]!) inside.push(ordered[next++]!);
      if (inside.length > 0) wanted.set(bin, { first, ranks: inside });
      first += bins[bin]!;
    }
    const inBins = (list: readonly number[]): string =>
      `${binSql(this.#x, bounds, bins.length)} IN (${list
        .flatMap((bin) => (bin === bins.length - 1 ? [bin, bin + 1] : [bin]))
        .join(', ')})`;
    const within =
      bounds === this.#bounds
        ? 'true'
        : `${this.#x} >= ${sqlReal(bounds.min)} AND ${this.#x} <= ${sqlReal(bounds.max)}`;
    const few = [...wanted].filter(([bin]) => bins[bin]! * wanted.size <= this.#held);
    if (few.length > 0) {
      const [values] = await this.#engine.numbers(
        `SELECT ${this.#x} FROM ${this.#from} WHERE ${within} AND ${inBins(few.map(([bin]) => bin))}`,
      );
      values!.sort();
      let start = 0;
      for (const [bin, one] of few) {
        for (const rank of one.ranks) into.set(rank, values![start + rank - one.first]!);
        start += bins[bin]!;
      }
    }
    for (const [bin, one] of wanted) {
      if (few.some(([other]) => other === bin)) continue;
      const where = `${within} AND ${inBins([bin])}`;
      const ends = await this.#engine.numbers(
        `SELECT min(${this.#x}), max(${this.#x}) FROM ${this.#from} WHERE ${where}`,
      );
      const inner = { min: ends[0]![0]!, max: ends[1]![0]! };
      const finer = await this.#countBins(this.#x, inner, binsFor(bins[bin]!), where);
      await this.#pick(one.ranks, one.first, inner, finer, into);
    }
  }
}
