import { Fleet, type FleetNode } from '../placer/fleet.ts';
import { Placer } from '../placer/placer.ts';
import type { TypicalPod } from '../placer/typical.ts';
import { DefaultRanking } from './default.ts';
import { type DeviceCell, nodeCell, WasteTable } from './learned-waste.ts';
import { fixedRandom, weightedDraw } from './random.ts';

export interface TrainOptions {
  /** Simulated runs; each ranks by what the ones before taught. Default 4. */
  readonly runs?: number;
  /** GPU demand of a run as a multiple of capacity. Default 1.3. */
  readonly load?: number;
  readonly seed?: number;
  /** Train on a sample of at most so many nodes. Default 1200. */
  readonly maxNodes?: number;
}

/** A cluster whose work asks for next to no GPU would need endless arrivals: a run stops here. */
const MAX_ARRIVALS_PER_NODE = 200;

/**
 * Fills the empty fleet with typical work a few times and learns what devices end with, by the state that
 * they were seen in. Takes about half a second a run at 1,200 nodes; do it when the mix of work changes,
 * off the path of decisions. Deterministic by seed.
 * @param nodes the cluster when empty (gpuFree = capacity)
 */
export function trainWaste(
  nodes: readonly FleetNode[],
  typical: readonly TypicalPod[],
  options: TrainOptions = {},
): WasteTable {
  const { runs = 4, load = 1.3, seed = 1, maxNodes = 1200 } = options;
  const table = new WasteTable();
  if (!typical.some((t) => t.gpuCount > 0) || !nodes.some((n) => n.gpuFree.length > 0)) return table;
  for (let run = 0; run < runs; run++) {
    const random = fixedRandom(seed * 7919 + run);
    const order = [...nodes.keys()];
    for (let i = order.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    const fleet = new Fleet(order.slice(0, maxNodes).map((i) => nodes[i]!));
    // What this run teaches is used from the next one on: a ranking does not change while it runs.
    const ranking = new DefaultRanking(fleet, typical, run > 0 ? table : undefined);
    learnFrom(fleet, new Placer(fleet, ranking), weightedDraw(typical, random), load, table);
  }
  return table;
}

function learnFrom(
  fleet: Fleet,
  placer: Placer,
  draw: () => TypicalPod,
  load: number,
  table: WasteTable,
): void {
  const target = load * fleet.gpusByModel.reduce((a, b) => a + b, 0) * 1000;
  const cells = new Map<string, { cell: DeviceCell; devices: number[] }>();
  const most = fleet.count * MAX_ARRIVALS_PER_NODE;
  for (let demand = 0, n = 0; demand < target && n < most; n++) {
    const pod = draw();
    demand += pod.gpuCount * pod.gpuMilli;
    const placed = placer.place(placer.shape({ ...pod, memoryBytes: 0 }));
    if (!placed) continue;
    const { node } = placed;
    const around = nodeCell(fleet.states, fleet.state[node]!, fleet.cpu[node]!);
    const model = fleet.models[fleet.model[node]!]!;
    const prefix = `${model},${around.whole},${around.cpu},`;
    for (let g = 0; g < fleet.gpus[node]!; g++) {
      const device = node * fleet.stride + g;
      const free = fleet.gpu[device]!;
      if (free === 0) continue;
      const seen = cells.get(prefix + free);
      if (seen) seen.devices.push(device);
      else cells.set(prefix + free, { cell: { free, ...around, model }, devices: [device] });
    }
  }
  for (const { cell, devices } of cells.values()) {
    let final = 0;
    for (const device of devices) final += fleet.gpu[device]!;
    table.learn(cell, final, devices.length);
  }
}
