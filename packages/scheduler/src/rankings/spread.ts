import type { NodeRanking, RankedShape, RankingContext } from '../placer/ranking.ts';

/**
 * Spreading (worst fit): the node with most left, by the mean of the free CPU and free GPU fractions; on a
 * node the emptiest device. For latency and failure isolation, at the price of fragmentation.
 */
export class Spread implements NodeRanking {
  readonly name = 'spread';
  readonly #states: RankingContext['states'];
  readonly #cpu: number;
  readonly #gpu: number;

  constructor(context: RankingContext) {
    this.#states = context.states;
    this.#cpu = 1 / Math.max(1, context.maxCpuMilli);
    this.#gpu = 1 / Math.max(1, context.maxGpus * 1000);
  }

  score(shape: RankedShape, _state: number, next: number, cpu: number): number {
    const vector = this.#states.vectors[next]!;
    // Sum of squares falls most when the emptiest device is used, which keeps devices even.
    let squares = 0;
    for (const free of vector) squares += free * free;
    const even = squares / Math.max(1, vector.length * 1e6);
    const left = (cpu - shape.cpuMilli) * this.#cpu + this.#states.total[next]! * this.#gpu;
    return left - 0.001 * even;
  }
}
