/**
 * Interned device states of a node: its model and the multiset of free milli of its devices.
 *
 * A cluster of thousands of nodes visits few distinct states, so whatever depends on the state alone
 * (fragmentation, expected fill, which devices a demand could take) is computed once per state, by id.
 */

/** Devices asked of one node: `count` devices with `milli` each. */
export interface Demand {
  readonly milli: number;
  readonly count: number;
}

const UNKNOWN = -1;

function grown(array: Int32Array, length: number, fill = 0): Int32Array<ArrayBuffer> {
  const next = new Int32Array(Math.max(length, array.length * 2)).fill(fill, array.length);
  next.set(array);
  return next;
}

export class GpuStates {
  readonly #ids = new Map<string, number>();
  /** Model of each state. */
  model: Int32Array<ArrayBuffer> = new Int32Array(1024);
  /** Sum of free milli. */
  total: Int32Array<ArrayBuffer> = new Int32Array(1024);
  /** Largest free milli on one device. */
  max: Int32Array<ArrayBuffer> = new Int32Array(1024);
  /** Free milli by device, falling; one array per state. */
  readonly vectors: Int32Array[] = [];

  readonly #demands: Demand[] = [];
  readonly #demandIds = new Map<string, number>();
  /** By demand, by state: where its options start in `#pool`, or UNKNOWN. */
  readonly #starts: Int32Array[] = [];
  /** Options: count, then per option the free milli of the device that it takes and the state it leads to. */
  #pool: Int32Array<ArrayBuffer> = new Int32Array(4096);
  #poolLength = 0;

  get count(): number {
    return this.vectors.length;
  }

  get pool(): Int32Array {
    return this.#pool;
  }

  /** Id of the state with this model and these free amounts, in any order. */
  intern(model: number, free: ArrayLike<number>): number {
    const vector = Int32Array.from(free).sort().reverse();
    const key = `${model}:${vector.join()}`;
    let id = this.#ids.get(key);
    if (id !== undefined) return id;
    id = this.vectors.push(vector) - 1;
    this.#ids.set(key, id);
    if (id >= this.model.length) {
      this.model = grown(this.model, id + 1);
      this.total = grown(this.total, id + 1);
      this.max = grown(this.max, id + 1);
    }
    let total = 0;
    for (const f of vector) total += f;
    this.model[id] = model;
    this.total[id] = total;
    this.max[id] = vector[0] ?? 0;
    return id;
  }

  demandId(demand: Demand): number {
    const key = `${demand.milli}x${demand.count}`;
    let id = this.#demandIds.get(key);
    if (id === undefined) {
      id = this.#demands.push(demand) - 1;
      this.#demandIds.set(key, id);
      this.#starts.push(new Int32Array(1024).fill(UNKNOWN));
    }
    return id;
  }

  /**
   * Where in `pool` the ways to serve the demand from the state start: pool[at] is how many, then pairs of
   * (free milli of the device taken, state after). One device: one way for each distinct free amount that
   * fits. Several devices: one way, on the fullest that fit. No device wanted: one way, the state itself.
   */
  optionsAt(demandId: number, state: number): number {
    let starts = this.#starts[demandId]!;
    if (state >= starts.length) {
      starts = grown(starts, state + 1, UNKNOWN);
      this.#starts[demandId] = starts;
    }
    const known = starts[state]!;
    if (known !== UNKNOWN) return known;
    const options = this.#compute(this.#demands[demandId]!, state);
    if (this.#poolLength + options.length + 1 > this.#pool.length)
      this.#pool = grown(this.#pool, this.#poolLength + options.length + 1);
    const at = this.#poolLength;
    this.#pool[at] = options.length / 2;
    this.#pool.set(options, at + 1);
    this.#poolLength += options.length + 1;
    starts[state] = at;
    return at;
  }

  #compute({ milli, count }: Demand, state: number): number[] {
    if (count === 0) return [0, state];
    const vector = this.vectors[state]!;
    const model = this.model[state]!;
    const options: number[] = [];
    if (count === 1) {
      for (let i = 0; i < vector.length; i++) {
        const free = vector[i]!;
        if (free < milli) break;
        if (free === vector[i + 1]) continue;
        const next = vector.slice();
        next[i] = free - milli;
        options.push(free, this.intern(model, next));
      }
      return options;
    }
    let last = vector.length - 1;
    while (last >= 0 && vector[last]! < milli) last--;
    if (last + 1 < count) return options;
    const next = vector.slice();
    for (let i = 0; i < count; i++) next[last - i] = next[last - i]! - milli;
    options.push(vector[last]!, this.intern(model, next));
    return options;
  }
}
