import type { GpuStates } from '../placer/gpu-states.ts';

/** Visits that a coarser cell counts for in a finer one. */
const PRIOR = 8;
/** What a device is thought to end with where nothing at all was seen: slivers stay, the rest fills up. */
const UNSEEN = 30;
const CPU_BASE = 500;
const CPU_RATIO = 1.5;
const CPU_BUCKETS = 16;

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

  /** Counts one visit whose device ended with `final` milli free. */
  learn(cell: DeviceCell, final: number): void {
    for (const key of cells(cell)) {
      this.#sums.set(key, (this.#sums.get(key) ?? 0) + final);
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
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
  return { cpu: cpuBucket(cpu, states.total[state]!), whole };
}

/** −Σ L over the devices of a node that are not full: what the node is thought to waste, as a value. */
export class LearnedWaste {
  readonly #states: GpuStates;
  readonly #models: readonly string[];
  readonly #table: WasteTable;
  readonly #known = new Map<number, number>();

  constructor(states: GpuStates, models: readonly string[], table: WasteTable) {
    this.#states = states;
    this.#models = models;
    this.#table = table;
  }

  value(state: number, cpu: number): number {
    const around = nodeCell(this.#states, state, cpu);
    const model = this.#states.model[state]!;
    const base = ((model * 32 + around.whole) * CPU_BUCKETS + around.cpu) * 65_536;
    let sum = 0;
    for (const free of this.#states.vectors[state]!) {
      if (free === 0) break;
      let l = this.#known.get(base + free);
      if (l === undefined) {
        l = this.#table.waste({ free, ...around, model: this.#models[model]! });
        this.#known.set(base + free, l);
      }
      sum -= l;
    }
    return sum;
  }
}
