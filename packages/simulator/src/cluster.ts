import type { FleetNode } from '@vgpu/scheduler';
import type { TraceNode } from './openb.ts';
import { seededRandom, shuffle } from './random.ts';

/** Keeps the order of nodes apart from the order of arrivals made from the same seed. */
const NODE_ORDER = 0x5eed;

/** The nodes of a trace, empty, in the one random order that breaks ties throughout a run. */
export function emptyCluster(nodes: readonly TraceNode[], seed: number): FleetNode[] {
  return shuffle([...nodes], seededRandom(seed + NODE_ORDER)).map((n) => ({
    id: n.sn,
    cpuMilli: n.cpuMilli,
    memoryBytes: n.memoryBytes,
    model: n.model,
    gpuFree: new Array<number>(n.gpus).fill(1000),
  }));
}
