import type { Fleet } from '../placer/fleet.ts';
import type { NodeRanking } from '../placer/ranking.ts';
import type { Shape } from '../placer/shape.ts';

/**
 * GPU packing as in MLaaS in the Wild (Weng et al., NSDI'22) and the FGD paper's comparison: devices in use
 * first (the fuller the better), then idle devices of nodes in use, idle nodes last.
 */
export class Packing implements NodeRanking {
  readonly name = 'packing';
  readonly #states: Fleet['states'];

  constructor(fleet: Fleet) {
    this.#states = fleet.states;
  }

  score(shape: Shape, state: number, next: number): number {
    if (shape.gpuCount === 0) return 0;
    const before = this.#states.vectors[state]!;
    const after = this.#states.vectors[next]!;
    const idle = wholeDevices(before);
    const opened = idle - wholeDevices(after);
    if (idle === before.length) return Math.max(33 - idle, 0);
    if (opened > 0) return Math.max(50 - opened, 33);
    // Free milli, before, of the devices taken: what the placement took plus what it left on them.
    let left = 0;
    for (let i = 0, j = 0; i < before.length; i++) {
      if (before[i] === after[j]) j++;
      else left += before[i]!;
    }
    return Math.max(100 - Math.floor(left / 100), 50);
  }
}

function wholeDevices(vector: Int32Array): number {
  let n = 0;
  for (const free of vector) if (free >= 1000) n++;
  return n;
}
