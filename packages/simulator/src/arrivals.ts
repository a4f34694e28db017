import type { TraceNode, TracePod } from './openb.ts';
import { seededRandom, shuffle } from './random.ts';

/** GPU milli of a node list. */
export function capacityMilli(nodes: readonly TraceNode[]): number {
  return nodes.reduce((sum, n) => sum + n.gpus * 1000, 0);
}

/** GPU milli that a pod asks for. */
export function demandMilli(pod: TracePod): number {
  return pod.gpuCount * pod.gpuMilli;
}

/**
 * The arrival order of the FGD paper's experiment: sorted by name and shuffled; then uniform samples with
 * replacement are appended until the GPU demand reaches `load` × capacity. Where the list alone asks for
 * more, it is cut there. Copies get the name of their origin with `#n`.
 */
export function inflate(
  pods: readonly TracePod[],
  nodes: readonly TraceNode[],
  load: number,
  seed: number,
): TracePod[] {
  if (!pods.some((p) => demandMilli(p) > 0))
    throw new Error('The pod list asks for no GPU; no load can be reached.');
  const random = seededRandom(seed);
  const byName = [...pods].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const target = load * capacityMilli(nodes);
  const arrivals: TracePod[] = [];
  let demand = 0;
  for (const pod of shuffle([...byName], random)) {
    if (demand >= target) break;
    arrivals.push(pod);
    demand += demandMilli(pod);
  }
  for (let copy = 1; demand < target; copy++) {
    const pod = byName[Math.floor(random() * byName.length)]!;
    arrivals.push({ ...pod, name: `${pod.name}#${copy}` });
    demand += demandMilli(pod);
  }
  return arrivals;
}
