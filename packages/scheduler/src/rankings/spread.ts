import type { Fleet } from '../placer/fleet.ts';
import type { NodeRanking } from '../placer/ranking.ts';
import type { Shape } from '../placer/shape.ts';

/**
 * Spreading (worst fit): the node with most left, by the mean of the free CPU and free GPU fractions; on a
 * node the emptiest device. For latency and failure isolation, at the price of fragmentation.
 */
export class Spread implements NodeRanking {
  readonly name = 'spread';
  readonly #states: Fleet['states'];
  readonly #cpu: number;
  readonly #gpu: number;

  constructor(fleet: Fleet) {
    this.#states = fleet.states;
    this.#cpu = 1 / Math.max(1, fleet.maxCpuMilli);
    this.#gpu = 1 / Math.max(1, fleet.stride * 1000);
  }

  score(shape: Shape, _state: number, next: number, cpu: number): number {
    const vector = this.#states.vectors[next]!;
    // Sum of squares falls most when the emptiest device is used, which keeps devices even.
    let squares = 0;
    for (const free of vector) squares += free * free;
    const even = squares / Math.max(1, vector.length * 1e6);
    const left = (cpu - shape.cpuMilli) * this.#cpu + this.#states.total[next]! * this.#gpu;
    return left - 0.001 * even;
  }
}
