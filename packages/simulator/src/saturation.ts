import { Fgd, Fleet, makeRanking, Placer, type RankingName, trainWaste, typicalPods } from '@vgpu/scheduler';
import { capacityMilli, demandMilli } from './arrivals.ts';
import { emptyCluster } from './cluster.ts';
import { type LatencySummary, summarizeLatency } from './latency.ts';
import type { TraceNode, TracePod } from './openb.ts';

/** Arrived demand, in percent of capacity, at which the allocation is noted. */
export const MARKS = [90, 95, 100, 105, 110, 120, 130] as const;

/** A file made to reach a mark may stop one pod short of it; this much (percent) is forgiven at its end. */
const END_TOLERANCE = 0.15;

export interface SaturationOptions {
  /** Default `default`. */
  readonly policy?: RankingName;
  /** Orders equal nodes and seeds what the default ranking learns beforehand. Default 0. */
  readonly seed?: number;
  /** Where the expected work comes from. Default: the arrivals. */
  readonly typical?: readonly TracePod[];
}

export interface Placed {
  readonly pod: string;
  /** Null where it fitted nowhere. */
  readonly node: string | null;
  readonly gpus: readonly number[];
}

export interface SaturationResult {
  readonly policy: RankingName;
  readonly seed: number;
  readonly nodes: number;
  readonly capacityMilli: number;
  readonly arrivals: number;
  readonly refused: number;
  /** Demand that arrived, percent of capacity. */
  readonly arrived: number;
  /** Allocated GPU, percent of capacity, when so much demand (percent) had arrived; null where it never had. */
  readonly allocation: Readonly<Record<string, number | null>>;
  readonly final: number;
  /** GPU that is free but of no use to typical work (FGD's F), percent of capacity, at the end. */
  readonly fragmentation: number;
  readonly decisionsPerSecond: number;
  readonly decisionMicros: LatencySummary;
  /** Making the ranking, with what it learns beforehand. Not part of any decision. */
  readonly setupSeconds: number;
  /** Allocation after each arrival as [arrived percent, allocated percent], thinned to at most 400 points. */
  readonly curve: readonly (readonly [number, number])[];
  readonly placements: readonly Placed[];
}

/**
 * The FGD paper's experiment: pods arrive one by one in the given order, never depart and are never retried;
 * nothing looks ahead. The clock is read only to time decisions; it decides nothing.
 */
export function saturate(
  nodes: readonly TraceNode[],
  arrivals: readonly TracePod[],
  options: SaturationOptions = {},
): SaturationResult {
  const { policy = 'default', seed = 0 } = options;
  const cluster = emptyCluster(nodes, seed);
  const typical = typicalPods(options.typical ?? arrivals);
  const begin = performance.now();
  const waste = policy === 'default' ? trainWaste(cluster, typical, { seed: seed + 1 }) : undefined;
  const fleet = new Fleet(cluster);
  const placer = new Placer(fleet, makeRanking(policy, fleet, typical, waste));
  const setupSeconds = (performance.now() - begin) / 1000;

  const capacity = Math.max(1, capacityMilli(nodes));
  const allocation: Record<string, number | null> = {};
  const marks = [...MARKS];
  const times = new Float64Array(arrivals.length);
  const placements: Placed[] = [];
  const curve: [number, number][] = [];
  const every = Math.max(1, Math.ceil(arrivals.length / 400));
  let arrived = 0;
  let allocated = 0;
  let refused = 0;
  let busy = 0;
  const note = (slack: number) => {
    while (marks.length && 100 * arrived >= (marks[0]! - slack) * capacity - 1e-6)
      allocation[String(marks.shift())] = (100 * allocated) / capacity;
  };
  for (const [i, pod] of arrivals.entries()) {
    const from = performance.now();
    const placed = placer.place(placer.shape(pod));
    times[i] = performance.now() - from;
    busy += times[i]!;
    arrived += demandMilli(pod);
    if (placed) allocated += demandMilli(pod);
    else refused++;
    placements.push({
      pod: pod.name,
      node: placed ? fleet.ids[placed.node]! : null,
      gpus: placed ? placed.devices : [],
    });
    if (i % every === 0 || i === arrivals.length - 1)
      curve.push([(100 * arrived) / capacity, (100 * allocated) / capacity]);
    note(0);
  }
  note(END_TOLERANCE);
  for (const mark of marks) allocation[String(mark)] = null;
  const judge = new Fgd(fleet, typical);
  let fragments = 0;
  for (let n = 0; n < fleet.count; n++) fragments += judge.fragmentation(fleet.state[n]!, fleet.cpu[n]!);
  return {
    policy,
    seed,
    nodes: nodes.length,
    capacityMilli: capacity,
    arrivals: arrivals.length,
    refused,
    arrived: (100 * arrived) / capacity,
    allocation,
    final: (100 * allocated) / capacity,
    fragmentation: (100 * fragments) / capacity,
    decisionsPerSecond: busy > 0 ? Math.round((1000 * arrivals.length) / busy) : 0,
    decisionMicros: summarizeLatency(times),
    setupSeconds,
    curve,
    placements,
  };
}
