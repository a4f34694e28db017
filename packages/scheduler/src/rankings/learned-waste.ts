import type { GpuStates } from '../placer/gpu-states.ts';

/** Visits that a coarser cell counts for in a finer one. */
const PRIOR = 8;
/** What a device is thought to end with where nothing at all was seen: slivers stay, the rest fills up. */
const UNSEEN = 30;
const CPU_BASE = 500;
const CPU_RATIO = 1.5;
const CPU_BUCKETS = 16;
/** Devices and free milli above these are taken as these; over-committed devices have more than 1000. */
const MAX_DEVICES = 31;
const MAX_FREE = 2000;

/** What a device was in when seen: its own free milli and its node's circumstances. */
export interface DeviceCell {
  readonly free: number;
  /** Bucket of the node's CPU per free GPU (`cpuBucket`). */
  readonly cpu: number;
  /** Whole free devices on the node. */
  readonly whole: number;
  readonly model: string;
}

/** Logarithmic bucket of free CPU (milli) per free GPU (1000 milli). */
export function cpuBucket(cpu: number, freeMilli: number): number {
  const per = (cpu * 1000) / Math.max(1, freeMilli);
  if (per < CPU_BASE) return 0;
  return Math.min(CPU_BUCKETS - 1, 1 + Math.floor(Math.log(per / CPU_BASE) / Math.log(CPU_RATIO)));
}

/** From the finest cell to the coarsest. */
function cells(c: DeviceCell): string[] {
  return [
    `${c.free},${c.cpu},${c.whole},${c.model}`,
    `${c.free},${c.cpu},${c.model}`,
    `${c.free},${c.cpu}`,
    `${c.free}`,
  ];
}

/**
 * L: the average final free milli of devices once seen in a cell, backed off to coarser cells where a cell was
 * seen little. Plain data underneath, so it can be stored and loaded.
 */
export class WasteTable {
  readonly #sums: Map<string, number>;
  readonly #counts: Map<string, number>;

  constructor(stored?: ReturnType<WasteTable['toJSON']>) {
    this.#sums = new Map(stored?.cells.map(([k, s]) => [k, s]));
    this.#counts = new Map(stored?.cells.map(([k, , n]) => [k, n]));
  }

  /** Counts `visits` to a cell whose devices ended with `final` milli free in sum. */
  learn(cell: DeviceCell, final: number, visits = 1): void {
    for (const key of cells(cell)) {
      this.#sums.set(key, (this.#sums.get(key) ?? 0) + final);
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + visits);
    }
  }

  waste(cell: DeviceCell): number {
    let v = Math.min(cell.free, UNSEEN);
    for (const key of cells(cell).reverse())
      v = ((this.#sums.get(key) ?? 0) + PRIOR * v) / ((this.#counts.get(key) ?? 0) + PRIOR);
    return v;
  }

  toJSON(): { readonly cells: readonly (readonly [string, number, number])[] } {
    return { cells: [...this.#sums].map(([k, s]) => [k, s, this.#counts.get(k)!] as const) };
  }
}

/** Circumstances of a node's devices, in the words of the table. */
export function nodeCell(states: GpuStates, state: number, cpu: number): { cpu: number; whole: number } {
  let whole = 0;
  for (const free of states.vectors[state]!) if (free >= 1000) whole++;
  return { cpu: cpuBucket(cpu, states.total[state]!), whole: Math.min(whole, MAX_DEVICES) };
}

/** −Σ L over the devices of a node that are not full: what the node is thought to waste, as a value. */
export class LearnedWaste {
  readonly #states: GpuStates;
  readonly #models: readonly string[];
  readonly #table: WasteTable;
  /** L by circumstances (model, whole devices, CPU bucket), then by free milli; NaN: not looked up yet. */
  readonly #known: (Float64Array | undefined)[] = [];

  constructor(states: GpuStates, models: readonly string[], table: WasteTable) {
    this.#states = states;
    this.#models = models;
    this.#table = table;
  }

  value(state: number, cpu: number): number {
    const around = nodeCell(this.#states, state, cpu);
    const model = this.#states.model[state]!;
    const at = (model * (MAX_DEVICES + 1) + around.whole) * CPU_BUCKETS + around.cpu;
    let known = this.#known[at];
    if (!known) {
      known = new Float64Array(MAX_FREE + 1).fill(Number.NaN);
      this.#known[at] = known;
    }
    let sum = 0;
    for (const free of this.#states.vectors[state]!) {
      if (free === 0) break;
      let l = known[Math.min(free, MAX_FREE)]!;
      if (Number.isNaN(l)) {
        l = this.#table.waste({ free, ...around, model: this.#models[model]! });
        known[Math.min(free, MAX_FREE)] = l;
      }
      sum -= l;
    }
    return sum;
  }
}
