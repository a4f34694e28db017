import type { Fleet } from '../placer/fleet.ts';
import type { NodeRanking } from '../placer/ranking.ts';
import type { Shape } from '../placer/shape.ts';
import type { TypicalPod } from '../placer/typical.ts';

/**
 * Fragmentation gradient descent (Weng et al., "Beware of Fragmentation", USENIX ATC'23), as published.
 *
 * F_n(m), the free milli of node n that pod m cannot use, is Σ{free_g : free_g < m.milli} where n can host
 * m and all of the node's free milli where it cannot (so for every CPU-only m). F_n = Σ p_m·F_n(m) over the
 * typical pods. The score is int(100·sigmoid((F before − F after)/1000)).
 *
 * Whether n hosts m depends on the free CPU only through the distinct CPU amounts of M, so per device state
 * F is a step function of CPU: a small table, filled once.
 */
export class Fgd implements NodeRanking {
  readonly name: string = 'fgd';
  readonly #states: Fleet['states'];
  readonly #models: readonly string[];
  /** Distinct CPU amounts of the typical pods, rising. */
  readonly #steps: Int32Array;
  /** Step index by CPU in units of `#unit` milli. */
  readonly #stepOf: Uint16Array;
  readonly #unit: number;
  readonly #pods: { step: number; milli: number; count: number; models: readonly string[]; weight: number }[];
  readonly #tables: (Float64Array | undefined)[] = [];

  constructor(fleet: Fleet, typical: readonly TypicalPod[]) {
    this.#states = fleet.states;
    this.#models = fleet.models;
    this.#steps = Int32Array.from([...new Set(typical.map((t) => t.cpuMilli))].sort((a, b) => a - b));
    this.#pods = typical.map((t) => ({
      step: this.#steps.indexOf(t.cpuMilli),
      milli: t.gpuMilli,
      count: t.gpuCount,
      models: t.models,
      weight: t.weight,
    }));
    this.#unit = this.#steps.reduce(gcd, 0) || 1;
    const top = (this.#steps.at(-1) ?? 0) / this.#unit;
    this.#stepOf = new Uint16Array(top + 1);
    for (let c = 0, s = 0; c <= top; c++) {
      while (s < this.#steps.length && this.#steps[s]! <= c * this.#unit) s++;
      this.#stepOf[c] = s;
    }
  }

  /** F_n of a node with this device state and this free CPU (milli). */
  fragmentation(state: number, cpu: number): number {
    let table = this.#tables[state];
    if (!table) {
      table = this.#fill(state);
      this.#tables[state] = table;
    }
    const c = Math.floor(cpu / this.#unit);
    return table[this.#stepOf[c < this.#stepOf.length ? c : this.#stepOf.length - 1]!]!;
  }

  score(shape: Shape, state: number, next: number, cpu: number): number {
    const gain = this.fragmentation(state, cpu) - this.fragmentation(next, cpu - shape.cpuMilli);
    return Math.floor(100 / (1 + Math.exp(-gain / 1000)));
  }

  /** F by CPU step: table[s] holds where s of the distinct CPU amounts fit. */
  #fill(state: number): Float64Array {
    const vector = this.#states.vectors[state]!;
    const total = this.#states.total[state]!;
    const model = this.#models[this.#states.model[state]!]!;
    const table = new Float64Array(this.#steps.length + 1);
    // Start from "hosts nothing" and credit each pod, from its CPU step on, with what it could use.
    let hopeless = 0;
    for (const p of this.#pods) {
      hopeless += p.weight * total;
      if (p.count === 0 || (p.models.length > 0 && !p.models.includes(model))) continue;
      let fitting = 0;
      let usable = 0;
      for (const free of vector) {
        if (free < p.milli) break;
        fitting++;
        usable += free;
      }
      if (fitting >= p.count) table[p.step + 1]! += p.weight * usable;
    }
    let credit = 0;
    for (let s = 0; s < table.length; s++) {
      credit += table[s]!;
      table[s] = hopeless - credit;
    }
    return table;
  }
}

function gcd(a: number, b: number): number {
  while (b) [a, b] = [b, a % b];
  return a;
}
