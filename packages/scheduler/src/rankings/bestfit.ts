import type { Fleet } from '../placer/fleet.ts';
import type { NodeRanking } from '../placer/ranking.ts';
import type { Shape } from '../placer/shape.ts';

/**
 * Best fit as the FGD paper's simulator scores it: int(100·(1 − ½·free CPU after/max CPU − ½·free GPU
 * after/max GPU)), the maxima being those of the largest node.
 */
export class BestFit implements NodeRanking {
  readonly name = 'bestfit';
  readonly #states: Fleet['states'];
  readonly #cpu: number;
  readonly #gpu: number;

  constructor(fleet: Fleet) {
    this.#states = fleet.states;
    this.#cpu = 0.5 / Math.max(1, fleet.maxCpuMilli);
    this.#gpu = 0.5 / Math.max(1, fleet.stride * 1000);
  }

  score(shape: Shape, _state: number, next: number, cpu: number): number {
    const left = (cpu - shape.cpuMilli) * this.#cpu + this.#states.total[next]! * this.#gpu;
    return Math.floor(100 * (1 - left));
  }
}
