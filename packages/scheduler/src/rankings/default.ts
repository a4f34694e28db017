import type { Fleet } from '../placer/fleet.ts';
import type { NodeRanking } from '../placer/ranking.ts';
import type { Shape } from '../placer/shape.ts';
import type { TypicalPod } from '../placer/typical.ts';
import { cpuLevel, levelCpu } from './cpu-levels.ts';
import { ExpectedFill } from './expected-fill.ts';
import { KeptNodes } from './kept-nodes.ts';
import { LearnedWaste, type WasteTable } from './learned-waste.ts';
import { typePressure } from './type-pressure.ts';

/** Weight of learned waste against expected fill, where something was learned. */
const WASTE_WEIGHT = 0.75;
/** λ: how much of π a placement pays per milli on a model that others name. */
const TYPE_WEIGHT = 0.3;
/** Of two equal placements the one that leaves less free: per milli of CPU, per milli of GPU. */
const CPU_TIE = 0.005 / 128;
const GPU_TIE = 0.02 / 8;

/**
 * The default ranking. With V = (1 − w)·fill + w·(−waste), the score of a placement is
 * V(after) − V(before) − λ·milli·π(model) − ties, plus the bias of kept nodes.
 */
export class DefaultRanking implements NodeRanking {
  readonly name = 'default';
  readonly #fleet: Fleet;
  readonly #fill: ExpectedFill;
  readonly #waste: LearnedWaste | undefined;
  readonly #kept: KeptNodes;
  readonly #pressure: Float64Array;
  /** V by state and CPU level; NaN: not computed yet. */
  #memo: Float32Array<ArrayBuffer> = new Float32Array(0);
  readonly #levels: number;

  /** @param waste what earlier runs taught (`trainWaste`); without it the ranking goes by fill alone */
  constructor(fleet: Fleet, typical: readonly TypicalPod[], waste?: WasteTable) {
    this.#fleet = fleet;
    this.#fill = new ExpectedFill(fleet, typical);
    this.#waste = waste && new LearnedWaste(fleet.states, fleet.models, waste);
    this.#pressure = typePressure(fleet, typical);
    this.#kept = new KeptNodes(fleet, typical, this.#pressure);
    this.#levels = cpuLevel(fleet.maxCpuMilli) + 1;
  }

  /** V of a node, in GPU milli. */
  value(state: number, cpu: number): number {
    if (!this.#waste) return this.#fill.value(state, cpu);
    const level = cpuLevel(cpu);
    const at = state * this.#levels + level;
    if (at >= this.#memo.length) {
      const grown = new Float32Array(Math.max(at + this.#levels, this.#memo.length * 2));
      grown.fill(Number.NaN, this.#memo.length);
      grown.set(this.#memo);
      this.#memo = grown;
    }
    let v = this.#memo[at]!;
    if (Number.isNaN(v)) {
      v =
        (1 - WASTE_WEIGHT) * this.#fill.value(state, cpu) +
        WASTE_WEIGHT * this.#waste.value(state, levelCpu(level));
      this.#memo[at] = v;
    }
    return v;
  }

  score(shape: Shape, state: number, next: number, cpu: number): number {
    const { states } = this.#fleet;
    const after = cpu - shape.cpuMilli;
    return (
      this.value(next, after) -
      this.value(state, cpu) -
      TYPE_WEIGHT * shape.gpuCount * shape.gpuMilli * this.#pressure[states.model[state]!]! -
      CPU_TIE * after -
      GPU_TIE * states.total[next]!
    );
  }

  bias(shape: Shape, node: number): number {
    return this.#kept.bias(shape, node);
  }
}
