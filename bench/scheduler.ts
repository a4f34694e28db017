/**
 * How fast and how well the scheduler places. With the openb node and pod lists (`tracesDir` or
 * VGPU_TRACES: a folder that holds openb_node_list_gpu_node.csv and openb_pod_list_*.csv) the allocation is
 * that of the FGD paper's experiment; without them a made-up cluster of the same size stands in.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fleet, makeRanking, Placer, type RankingName, trainWaste, typicalPods } from '@vgpu/scheduler';
import {
  emptyCluster,
  inflate,
  readNodes,
  readPods,
  type SaturationResult,
  saturate,
  syntheticTrace,
  type TraceNode,
  type TracePod,
} from '@vgpu/simulator';
import type { Bench, BenchResult } from './result.ts';

export interface SchedulerBenchOptions {
  /** Fewer variants, seeds and nodes: under a minute. */
  readonly quick?: boolean;
  readonly tracesDir?: string;
}

/** Seeds that no constant was chosen by. */
const SEEDS = [101, 102, 103];

interface Variant {
  readonly name: string;
  readonly nodes: readonly TraceNode[];
  readonly pods: readonly TracePod[];
}

function variants(options: SchedulerBenchOptions): Variant[] {
  const dir = options.tracesDir ?? process.env.VGPU_TRACES;
  const nodeList = dir && join(dir, 'openb_node_list_gpu_node.csv');
  if (!dir || !nodeList || !existsSync(nodeList)) {
    const { nodes, pods } = syntheticTrace({ nodes: 1213, pods: 8000 });
    return [{ name: 'synthetic', nodes, pods }];
  }
  const nodes = readNodes(readFileSync(nodeList, 'utf8'), nodeList);
  const found = readdirSync(dir)
    .flatMap((file) => /^openb_pod_list_(.+)\.csv$/.exec(file)?.[1] ?? [])
    .sort((a, b) => Number(b === 'default') - Number(a === 'default') || (a < b ? -1 : 1));
  return found.slice(0, options.quick ? 2 : undefined).map((name) => ({
    name,
    nodes,
    pods: readPods(readFileSync(join(dir, `openb_pod_list_${name}.csv`), 'utf8'), name),
  }));
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** More is better, unless said otherwise. */
function row(
  name: string,
  ours: number,
  peer: number | null,
  peerName: string,
  unit: string,
  lessIsBetter = false,
): BenchResult {
  if (peer === null) return { name, ours: round(ours), peer, peerName, ratio: null, unit };
  const ratio = lessIsBetter ? peer / ours : ours / peer;
  return { name, ours: round(ours), peer: round(peer), peerName, ratio: round(ratio), unit };
}

/** Five digits: allocations differ in the fourth. */
function round(x: number): number {
  return Number(x.toPrecision(5));
}

/** FGD as it is written down: every decision scores every node by the definition. Decisions per second. */
function plainFgd({ nodes, pods }: Variant, decisions: number): number {
  const typical = typicalPods(pods, 0.95);
  const fleet = new Fleet(emptyCluster(nodes, 1));
  const arrivals = inflate(pods, nodes, 0.9, 1).slice(0, decisions);
  const frag = (free: readonly number[], cpu: number, model: string) => {
    let total = 0;
    for (const f of free) total += f;
    let sum = 0;
    for (const t of typical) {
      let fitting = 0;
      let unusable = 0;
      for (const f of free)
        if (f >= t.gpuMilli) fitting++;
        else unusable += f;
      const hosts =
        t.gpuCount > 0 &&
        cpu >= t.cpuMilli &&
        fitting >= t.gpuCount &&
        (!t.models.length || t.models.includes(model));
      sum += t.weight * (hosts ? unusable : total);
    }
    return sum;
  };
  const from = performance.now();
  for (const pod of arrivals) {
    let best = -1;
    let node = -1;
    let free = 0;
    for (let n = 0; n < fleet.count; n++) {
      const model = fleet.models[fleet.model[n]!]!;
      if (fleet.cpu[n]! < pod.cpuMilli || fleet.memory[n]! < pod.memoryBytes) continue;
      if (pod.gpuCount > 0 && pod.models.length > 0 && !pod.models.includes(model)) continue;
      const vector = [...fleet.states.vectors[fleet.state[n]!]!];
      if (vector.filter((f) => f >= pod.gpuMilli).length < pod.gpuCount) continue;
      const before = frag(vector, fleet.cpu[n]!, model);
      for (let g = 0; g < Math.max(1, vector.length); g++) {
        if (pod.gpuCount > 0 && vector[g]! < pod.gpuMilli) continue;
        const after = [...vector];
        if (pod.gpuCount === 1) after[g] = after[g]! - pod.gpuMilli;
        else for (let k = 0; k < pod.gpuCount; k++) after[k] = after[k]! - pod.gpuMilli;
        const gain = before - frag(after, fleet.cpu[n]! - pod.cpuMilli, model);
        const score = Math.floor(100 / (1 + Math.exp(-gain / 1000)));
        if (score > best) [best, node, free] = [score, n, vector[g] ?? 0];
        if (pod.gpuCount !== 1) break;
      }
    }
    if (node >= 0) fleet.take(node, pod.cpuMilli, pod.memoryBytes, pod.gpuMilli, pod.gpuCount, free);
  }
  return (1000 * arrivals.length) / (performance.now() - from);
}

/** Microseconds per decision while `nodes` nodes fill to 60 %. */
function costAt(variant: Variant, nodes: number, policy: RankingName): { micros: number; megabytes: number } {
  const many = Array.from({ length: nodes }, (_, i) => ({
    ...variant.nodes[i % variant.nodes.length]!,
    sn: `${variant.nodes[i % variant.nodes.length]!.sn}/${i}`,
  }));
  const typical = typicalPods(variant.pods);
  const cluster = emptyCluster(many, 1);
  const waste = policy === 'default' ? trainWaste(cluster, typical) : undefined;
  const arrivals = inflate(variant.pods, many, 0.6, 1);
  const before = process.memoryUsage();
  const fleet = new Fleet(cluster);
  const placer = new Placer(fleet, makeRanking(policy, fleet, typical, waste));
  const from = performance.now();
  for (const pod of arrivals) placer.place(placer.shape(pod));
  const micros = (1000 * (performance.now() - from)) / arrivals.length;
  const after = process.memoryUsage();
  const used = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  return { micros, megabytes: Math.max(0, used) / 1e6 };
}

/** Runs the benchmark; progress goes nowhere, the rows are the result. */
export async function benchScheduler(options: SchedulerBenchOptions = {}): Promise<BenchResult[]> {
  const rows: BenchResult[] = [];
  const all = variants(options);
  const first = all[0]!;
  const seeds = options.quick ? SEEDS.slice(0, 1) : SEEDS;

  const plain = plainFgd(first, options.quick ? 300 : 1500);
  for (const policy of ['fgd', 'bestfit', 'default'] as const) {
    const once = (seed: number) =>
      saturate(first.nodes, inflate(first.pods, first.nodes, 1.3, seed), {
        policy,
        seed,
        typical: first.pods,
      });
    once(7); // lets the engine compile first
    const run = once(SEEDS[0]!);
    const where = `${first.nodes.length} nodes`;
    rows.push(
      row(
        `${policy}: decisions at ${where}`,
        run.decisionsPerSecond,
        plain,
        'FGD that scores every node',
        '1/s',
      ),
      row(`${policy}: p99 of a decision at ${where}`, run.decisionMicros.p99, null, '', 'µs', true),
    );
  }

  for (const policy of ['fgd', 'default'] as const) {
    const small = costAt(first, 1000, policy);
    for (const nodes of options.quick ? [10_000] : [10_000, 100_000]) {
      const large = costAt(first, nodes, policy);
      rows.push(
        row(
          `${policy}: a decision at ${nodes} nodes`,
          large.micros,
          (small.micros * nodes) / 1000,
          'if cost grew with the nodes',
          'µs',
          true,
        ),
      );
      if (nodes === 100_000)
        rows.push(row(`${policy}: memory at ${nodes} nodes`, large.megabytes, null, '', 'MB', true));
    }
  }

  for (const variant of all) {
    const runs = (policy: RankingName) =>
      seeds.map((seed) =>
        saturate(variant.nodes, inflate(variant.pods, variant.nodes, 1.3, seed), {
          policy,
          seed,
          typical: variant.pods,
        }),
      );
    const ours = runs('default');
    const fgd = runs('fgd');
    for (const mark of ['90', '100', '130']) {
      const at = (list: readonly SaturationResult[]) => mean(list.map((r) => r.allocation[mark] ?? r.final));
      rows.push(row(`${variant.name}: allocated at ${mark} % arrived`, at(ours), at(fgd), 'FGD', '%'));
    }
    rows.push(
      row(
        `${variant.name}: fragmentation at the end`,
        mean(ours.map((r) => r.fragmentation)),
        mean(fgd.map((r) => r.fragmentation)),
        'FGD',
        '%',
        true,
      ),
    );
  }
  return rows;
}

export const bench: Bench = ({ quick }) => benchScheduler({ quick });

if (import.meta.main) {
  const at = process.argv.indexOf('--traces');
  console.table(
    await benchScheduler({
      quick: process.argv.includes('--quick'),
      tracesDir: at > 0 ? process.argv[at + 1] : undefined,
    }),
  );
}
