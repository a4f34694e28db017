import { sqlReal } from './column-sql.ts';
import {
  clipLimits,
  type NumberFigures,
  type NumberTreatment,
  outcomeFrom,
  outerFences,
  type TreatedNumbers,
} from './distribution.ts';
import type { Engine } from './engine.ts';
import { ClippedTally, tally, ValueTally } from './number-tally.ts';
import { type Bounds, binsFor, binWidth, histogramOf, quantileAt, ranksOf, shownBins } from './quantiles.ts';
import type { NumericSummary } from './result.ts';

/** Rows whose median tells about where a column's values are. */
const firstRows = 1001;

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

/** A column of numbers that the engine counts, because its distinct values are too many to hold. */
export class BinnedNumbers implements NumberFigures {
  readonly #engine: Engine;
  readonly #from: string;
  readonly #x: string;
  readonly #total: number;
  readonly #bounds: Bounds;
  readonly #held: number;
  readonly #decimals: number | null;
  #tally: ValueTally | null = null;
  #bins: Float64Array = new Float64Array(0);
  #summary: NumericSummary | null = null;

  /**
   * @param value SQL of the column's number over `from`.
   * @param total values that are not missing.
   * @param held values that may be sorted at once.
   * @param decimals digits behind the point that all values may have; null where that is not asked.
   */
  constructor(
    engine: Engine,
    from: string,
    value: string,
    total: number,
    bounds: Bounds,
    held: number,
    decimals: number | null,
  ) {
    this.#engine = engine;
    this.#from = from;
    this.#x = `CAST(${value} AS DOUBLE)`;
    this.#total = total;
    this.#bounds = bounds;
    this.#held = held;
    this.#decimals = decimals;
  }

  get summary(): NumericSummary {
    return this.#summary!;
  }

  /** An estimate of how many distinct values there are, once they were counted. */
  get distinct(): number {
    return this.#tally!.distinct.value;
  }

  keepDecimals(decimals: number): boolean {
    return decimals === this.#decimals && this.#tally!.areDecimals;
  }

  /** Counts the columns in one pass over all of them. */
  static async count(engine: Engine, from: string, columns: readonly BinnedNumbers[]): Promise<void> {
    const centres = await firstMedians(
      engine,
      from,
      columns.map((one) => ({ x: one.#x, bounds: one.#bounds })),
    );
    const tallies = columns.map((one, i) => {
      const size = binsFor(one.#total);
      return new ValueTally(one.#x, one.#bounds, size, centres[i]!, one.#decimals);
    });
    await tally(engine, from, tallies);
    columns.forEach((one, i) => {
      one.#tally = tallies[i]!;
      one.#bins = tallies[i]!.bins;
    });
  }

  /** Looks up the quantiles of a column that was counted. */
  async measure(): Promise<void> {
    const shares = [0.01, 0.25, 0.5, 0.75, 0.99];
    const [p01, p25, median, p75, p99] = (await this.quantiles(shares)) as [
      number,
      number,
      number,
      number,
      number,
    ];
    this.#summary = {
      ...this.#bounds,
      ...this.#tally!.sums.moments(this.#total),
      histogram: histogramOf(this.#bounds, this.#bins),
      ...{ p01, p25, median, p75, p99 },
    };
  }

  async quantiles(shares: readonly number[]): Promise<number[]> {
    const ranks = new Set(shares.flatMap((share) => ranksOf(share, this.#total)));
    const values = new Map<number, number>();
    await this.#pick([...ranks], 0, this.#bounds, this.#bins, values);
    return shares.map((share) => quantileAt(share, this.#total, (rank) => values.get(rank)!));
  }

  async treated(treatment: NumberTreatment): Promise<TreatedNumbers> {
    const { tally: wanted, result } = this.plan(treatment);
    if (wanted) await tally(this.#engine, this.#from, [wanted]);
    return result();
  }

  /**
   * What has to be counted for the figures after a treatment, and the figures once it is.
   * The tally is null where the treatment changes nothing and no value is far out.
   */
  plan(treatment: NumberTreatment): { tally: ClippedTally | null; result: () => TreatedNumbers } {
    const { summary } = this;
    const limits = clipLimits(treatment);
    const fences = outerFences(summary);
    const fill = treatment.missing > 0 ? treatment.fill : null;
    const clips = summary.min < limits.min || summary.max > limits.max;
    const changed = clips || fill !== null;
    if (!changed && summary.min >= fences.min && summary.max <= fences.max)
      return { tally: null, result: () => ({ clipped: 0, outliers: 0, numeric: outcomeFrom(summary) }) };
    const clamp = (value: number) => Math.min(Math.max(value, limits.min), limits.max);
    const ends = [clamp(summary.min), clamp(summary.max), ...(fill === null ? [] : [fill])];
    const bounds = { min: Math.min(...ends), max: Math.max(...ends) };
    const found = new ClippedTally(this.#x, limits, fences, bounds, shownBins, clamp(summary.median));
    const result = (): TreatedNumbers => {
      const { clipped, outliers } = found;
      if (!changed) return { clipped, outliers, numeric: outcomeFrom(summary) };
      if (fill !== null) found.fill(fill, treatment.missing);
      const moments = found.sums.moments(this.#total + (fill === null ? 0 : treatment.missing));
      const numeric = { ...bounds, ...moments, histogram: histogramOf(bounds, found.bins) };
      return { clipped, outliers, numeric };
    };
    return { tally: found, result };
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
    const place = binSql(this.#x, bounds, bins.length);
    const last = bins.length - 1;
    // The largest values count for the last bin, however far behind it rounding puts them.
    const inBins = (list: readonly number[]): string =>
      `(${place} IN (${list.join(', ')})${list.includes(last) ? ` OR ${place} > ${last}` : ''})`;
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

/** The median of each column's first values, as a centre that its values lie around. */
async function firstMedians(
  engine: Engine,
  from: string,
  columns: readonly { readonly x: string; readonly bounds: Bounds }[],
): Promise<number[]> {
  const medians: number[] = [];
  for (let at = 0; at < columns.length; at += 100) {
    const group = columns.slice(at, at + 100);
    const list = group.map(({ x }) => `coalesce(${x}, CAST('NaN' AS DOUBLE))`).join(', ');
    const first = await engine.numbers(`SELECT ${list} FROM ${from} LIMIT ${firstRows}`);
    group.forEach(({ bounds }, i) => {
      const values = first[i]!.filter((value) => !Number.isNaN(value)).sort();
      medians.push(values[values.length >> 1] ?? bounds.min / 2 + bounds.max / 2);
    });
  }
  return medians;
}
