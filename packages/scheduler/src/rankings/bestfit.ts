import type { NodeRanking, RankedShape, RankingContext } from '../placer/ranking.ts';

/**
 * Best fit as the FGD paper's simulator scores it: int(100·(1 − ½·free CPU after/max CPU − ½·free GPU
 * after/max GPU)), the maxima being those of the largest node.
 */
export class BestFit implements NodeRanking {
  readonly name = 'bestfit';
  readonly #states: RankingContext['states'];
  readonly #cpu: number;
  readonly #gpu: number;

  constructor(context: RankingContext) {
    this.#states = context.states;
    this.#cpu = 0.5 / Math.max(1, context.maxCpuMilli);
    this.#gpu = 0.5 / Math.max(1, context.maxGpus * 1000);
  }

  score(shape: RankedShape, _state: number, next: number, cpu: number): number {
    const left = (cpu - shape.cpuMilli) * this.#cpu + this.#states.total[next]! * this.#gpu;
    return Math.floor(100 * (1 - left));
  }
}
