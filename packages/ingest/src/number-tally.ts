import { CentredSums, type SumParts } from './centred-sums.ts';
import { DistinctEstimate } from './distinct-estimate.ts';
import { isDecimal } from './number-text.ts';
import { type Bounds, binWidth } from './quantiles.ts';

/**
 * Something that takes a column's values piece by piece; NaN stands for a missing one. Its plan is plain data:
 * another thread makes the same from it, and what that has counted is merged, in the order of the rows.
 */
export interface Tally<Plan = unknown, State = unknown> {
  readonly kind: TallyKind;
  readonly plan: Plan;
  push(items: Float64Array): void;
  readonly state: State;
  merge(state: State): void;
}

export type TallyKind = keyof typeof kinds;

/** The same tally in another thread. */
export function tallyOf(kind: TallyKind, plan: unknown): Tally {
  return new (kinds[kind] as new (plan: unknown) => Tally)(plan);
}

/** Counts values in bins, as `binOf` says it; those outside the limits count for the limits. */
function countInBins(items: Float64Array, bounds: Bounds, bins: Float64Array, limits: Bounds): void {
  const { min, max } = bounds;
  const { min: low, max: high } = limits;
  const width = binWidth(bounds, bins.length);
  const last = bins.length - 1;
  if (Number.isFinite(max - min)) {
    for (let i = 0; i < items.length; i++) {
      const value = items[i]!;
      if (Number.isNaN(value)) continue;
      const bin = ((value < low ? low : value > high ? high : value) - min) / width;
      bins[bin < last ? bin | 0 : last]!++;
    }
    return;
  }
  const shift = min / width;
  for (let i = 0; i < items.length; i++) {
    const value = items[i]!;
    if (Number.isNaN(value)) continue;
    const bin = Math.floor((value < low ? low : value > high ? high : value) / width - shift);
    bins[bin < last ? bin : last]!++;
  }
}

const emptyBins = (bounds: Bounds, size: number): Float64Array<ArrayBuffer> =>
  new Float64Array(binWidth(bounds, size) === Infinity ? 1 : size);

function addBins(to: Float64Array, bins: Float64Array): void {
  for (let i = 0; i < to.length; i++) to[i]! += bins[i]!;
}

export interface ValuePlan {
  bounds: Bounds;
  /** Number of bins. */
  size: number;
  /** About where most values are. */
  centre: number;
  /** Digits behind the point that all values may have; null where that is not asked. */
  decimals: number | null;
}

export interface ValueState {
  bins: Float64Array<ArrayBuffer>;
  sums: SumParts;
  ranks: Uint8Array<ArrayBuffer>;
  areDecimals: boolean;
}

/** All figures of a column that one pass can give. */
export class ValueTally implements Tally<ValuePlan, ValueState> {
  readonly kind = 'value';
  readonly plan: ValuePlan;
  readonly bins: Float64Array<ArrayBuffer>;
  readonly sums: CentredSums;
  readonly distinct = new DistinctEstimate();
  /** Every value is a decimal of the asked length. */
  areDecimals: boolean;
  readonly #power: number;

  constructor(plan: ValuePlan) {
    this.plan = plan;
    this.bins = emptyBins(plan.bounds, plan.size);
    this.sums = new CentredSums(plan.bounds, plan.centre);
    this.areDecimals = plan.decimals !== null;
    this.#power = 10 ** (plan.decimals ?? 0);
  }

  push(items: Float64Array): void {
    countInBins(items, this.plan.bounds, this.bins, this.plan.bounds);
    this.sums.push(items, -Infinity, Infinity);
    this.distinct.push(items);
    if (this.areDecimals) this.areDecimals = allDecimals(items, this.#power);
  }

  get state(): ValueState {
    const { bins, areDecimals } = this;
    return { bins, sums: this.sums.parts, ranks: this.distinct.ranks, areDecimals };
  }

  merge({ bins, sums, ranks, areDecimals }: ValueState): void {
    addBins(this.bins, bins);
    this.sums.merge(sums);
    this.distinct.merge(ranks);
    this.areDecimals &&= areDecimals;
  }
}

export function allDecimals(items: Float64Array, power: number): boolean {
  for (let i = 0; i < items.length; i++) {
    const x = items[i]!;
    if (!Number.isNaN(x) && !isDecimal(x, power)) return false;
  }
  return true;
}

export interface ClippedPlan {
  limits: Bounds;
  fences: Bounds;
  /** Bounds of the values after clipping and filling. */
  bounds: Bounds;
  size: number;
  centre: number;
}

export interface ClippedState {
  clipped: number;
  outliers: number;
  bins: Float64Array<ArrayBuffer>;
  sums: SumParts;
}

/** What becomes of a column when it is clipped. */
export class ClippedTally implements Tally<ClippedPlan, ClippedState> {
  readonly kind = 'clipped';
  readonly plan: ClippedPlan;
  clipped = 0;
  outliers = 0;
  readonly bins: Float64Array<ArrayBuffer>;
  readonly sums: CentredSums;

  constructor(plan: ClippedPlan) {
    this.plan = plan;
    this.bins = emptyBins(plan.bounds, plan.size);
    this.sums = new CentredSums(plan.bounds, plan.centre);
  }

  push(items: Float64Array): void {
    const { min, max } = this.plan.limits;
    const { min: low, max: high } = this.plan.fences;
    let clipped = 0;
    let outliers = 0;
    for (let i = 0; i < items.length; i++) {
      const x = items[i]!;
      if (x < min || x > max) clipped++;
      if (x < low || x > high) outliers++;
    }
    this.clipped += clipped;
    this.outliers += outliers;
    countInBins(items, this.plan.bounds, this.bins, this.plan.limits);
    this.sums.push(items, min, max);
  }

  get state(): ClippedState {
    const { clipped, outliers, bins } = this;
    return { clipped, outliers, bins, sums: this.sums.parts };
  }

  merge({ clipped, outliers, bins, sums }: ClippedState): void {
    this.clipped += clipped;
    this.outliers += outliers;
    addBins(this.bins, bins);
    this.sums.merge(sums);
  }

  /** Values that stood nowhere. */
  fill(value: number, times: number): void {
    const one = new Float64Array(this.bins.length);
    countInBins(Float64Array.of(value), this.plan.bounds, one, this.plan.bounds);
    one.forEach((count, i) => {
      this.bins[i]! += count * times;
    });
    this.sums.repeat(value, times);
  }
}

export interface BinsPlan {
  bounds: Bounds;
  size: number;
}

/** Counts the values within bounds in bins. */
export class BinsTally implements Tally<BinsPlan, Float64Array> {
  readonly kind = 'bins';
  readonly plan: BinsPlan;
  readonly state: Float64Array;

  constructor(plan: BinsPlan) {
    this.plan = plan;
    this.state = emptyBins(plan.bounds, plan.size);
  }

  push(items: Float64Array): void {
    const { bounds } = this.plan;
    const inside = items.filter((value) => value >= bounds.min && value <= bounds.max);
    countInBins(inside, bounds, this.state, bounds);
  }

  merge(state: Float64Array): void {
    addBins(this.state, state);
  }
}

const kinds = { value: ValueTally, clipped: ClippedTally, bins: BinsTally };
