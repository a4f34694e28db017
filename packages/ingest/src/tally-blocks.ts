import { ColumnStore, type StoreDescription } from './column-store.ts';
import type { SomeBins } from './number-source.ts';
import {
  type Tally,
  type TallyKind,
  tallyOf,
  type ValuePlan,
  type ValueState,
  ValueTally,
} from './number-tally.ts';
import { type Bounds, binWidth } from './quantiles.ts';
import type { Answer, Shared } from './serve-tasks.ts';
import { ValueCounter, type ValueCounts } from './value-counter.ts';

/** Blocks of the shared store, from one up to but not with another. */
export interface Span {
  from: number;
  to: number;
}

/** What the store's columns of numbers are asked for. */
export interface ColumnBounds {
  /** Values that are not missing. */
  count: number;
  min: number;
  max: number;
}

export interface CountAsked {
  column: number;
  /** Distinct values at most. */
  limit: number;
  /** What to count where there are more; null where there cannot be. */
  plan: ValuePlan | null;
}

export type Counted = { counts: ValueCounts } | { state: ValueState };

const stores = new WeakMap<StoreDescription, ColumnStore>();

/** The store that the threads share under the name `store`. */
export function sharedStore(shared: Shared): ColumnStore {
  const description = shared.get('store') as StoreDescription;
  let store = stores.get(description);
  if (!store) {
    store = new ColumnStore(description);
    stores.set(description, store);
  }
  return store;
}

/** Values that are looked at several times before the next ones: they stay in the processor's nearest memory. */
const sliceRows = 4096;

/** Hands on a column's values in the order of the rows, some at a time. */
export function eachSlice(values: Float64Array, use: (items: Float64Array) => void): void {
  for (let from = 0; from < values.length; from += sliceRows) use(values.subarray(from, from + sliceRows));
}

function eachBlock(
  shared: Shared,
  { from, to }: Span,
  column: number,
  use: (items: Float64Array) => void,
): void {
  const store = sharedStore(shared);
  for (let block = from; block < to; block++) eachSlice(store.numbers(block, column), use);
}

/** How many values there are, and their ends. */
export function boundBlocks(task: Span & { columns: number[] }, shared: Shared): Answer<ColumnBounds[]> {
  const answer = task.columns.map((column): ColumnBounds => {
    const found = { count: 0, min: Infinity, max: -Infinity };
    eachBlock(shared, task, column, (items) => {
      let { count, min, max } = found;
      for (let i = 0; i < items.length; i++) {
        const x = items[i]!;
        if (x < min) min = x;
        if (x > max) max = x;
        if (!Number.isNaN(x)) count++;
      }
      Object.assign(found, { count, min, max });
    });
    return found;
  });
  return { answer };
}

/** The state of each tally after the blocks' values. */
export function tallyBlocks(
  task: Span & { columns: { column: number; kind: TallyKind; plan: unknown }[] },
  shared: Shared,
): Answer<unknown[]> {
  const answer = task.columns.map(({ column, kind, plan }) => {
    const tally: Tally = tallyOf(kind, plan);
    eachBlock(shared, task, column, (items) => tally.push(items));
    return tally.state;
  });
  return { answer };
}

let counter: ValueCounter | null = null;
let counterLimit = 0;

/** A counter with room for so many values; the last one, where it fits. */
function counterFor(limit: number): ValueCounter {
  if (counter === null || limit !== counterLimit) counter = new ValueCounter(limit);
  else counter.clear();
  counterLimit = limit;
  return counter;
}

function isCounted(counting: ValueCounter, values: Float64Array): boolean {
  for (let from = 0; from < values.length; from += sliceRows)
    if (!counting.push(values.subarray(from, from + sliceRows))) return false;
  return true;
}

/** Counts a column's distinct values in the blocks; false where they are more than there is room for. */
function isCountable(shared: Shared, { from, to }: Span, column: number, counting: ValueCounter): boolean {
  const store = sharedStore(shared);
  for (let block = from; block < to; block++)
    if (!isCounted(counting, store.numbers(block, column))) return false;
  return true;
}

/** Distinct values with their counts; where they are too many, what the plan says. */
export function countBlocks(task: Span & { columns: CountAsked[] }, shared: Shared): Answer<Counted[]> {
  const transfer: ArrayBuffer[] = [];
  const answer = task.columns.map(({ column, limit, plan }): Counted => {
    const counting = counterFor(limit);
    if (isCountable(shared, task, column, counting)) {
      const counts = counting.found;
      transfer.push(counts.values.buffer, counts.counts.buffer);
      return { counts };
    }
    const tally = new ValueTally(plan!);
    eachBlock(shared, task, column, (items) => tally.push(items));
    const { state } = tally;
    transfer.push(state.bins.buffer, state.ranks.buffer);
    return { state };
  });
  return { answer, transfer };
}

/** Whether the blocks have more distinct values than a limit. */
export function exceedBlocks(task: Span & { columns: CountAsked[] }, shared: Shared): Answer<boolean[]> {
  const answer = task.columns.map(
    ({ column, limit }) => !isCountable(shared, task, column, counterFor(limit)),
  );
  return { answer };
}

/** Copies those of the items that are in some bins to a place, and says where they end. */
function bySome({ bounds, size, bins, within }: SomeBins) {
  const wanted = new Uint8Array(size);
  for (const bin of bins) wanted[bin] = 1;
  const { min, max } = bounds;
  const [low, high] = within ? [within.min, within.max] : [-Infinity, Infinity];
  const width = binWidth(bounds, size);
  const far = !Number.isFinite(max - min);
  const shift = min / width;
  const last = size - 1;
  return (items: Float64Array, into: Float64Array, at: number): number => {
    let end = at;
    for (let i = 0; i < items.length; i++) {
      const x = items[i]!;
      if (!(x >= low && x <= high)) continue;
      const bin = width === Infinity ? 0 : Math.floor(far ? x / width - shift : (x - min) / width);
      if (wanted[bin < last ? bin : last] === 1) into[end++] = x;
    }
    return end;
  };
}

type SomeAsked = Span & { columns: { column: number; some: SomeBins }[] };

/** The values in some bins, in the order of the rows. */
export function pickBlocks(task: SomeAsked, shared: Shared): Answer<Float64Array<ArrayBuffer>[]> {
  const answer = task.columns.map(({ column, some }) => {
    const copy = bySome(some);
    let found = new Float64Array(1024);
    let length = 0;
    eachBlock(shared, task, column, (items) => {
      if (found.length < length + items.length) {
        const more = new Float64Array(2 * (length + items.length));
        more.set(found.subarray(0, length));
        found = more;
      }
      length = copy(items, found, length);
    });
    return found.slice(0, length);
  });
  return { answer, transfer: answer.map(({ buffer }) => buffer) };
}

/** The smallest and the largest of them. */
export function endBlocks(task: SomeAsked, shared: Shared): Answer<Bounds[]> {
  const answer = task.columns.map(({ column, some }) => {
    const copy = bySome(some);
    const ends = { min: Infinity, max: -Infinity };
    eachBlock(shared, task, column, (items) => {
      const inside = new Float64Array(items.length);
      const length = copy(items, inside, 0);
      for (let i = 0; i < length; i++) {
        ends.min = Math.min(ends.min, inside[i]!);
        ends.max = Math.max(ends.max, inside[i]!);
      }
    });
    return ends;
  });
  return { answer };
}
