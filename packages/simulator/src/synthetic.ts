import type { TraceNode, TracePod } from './openb.ts';
import { seededRandom } from './random.ts';

const GIB = 1024 ** 3;

/** Node classes in the proportions of a mixed production cluster: CPU milli, memory, devices, model, parts. */
const NODE_MIX: readonly [number, number, number, string, number][] = [
  [96_000, 384, 8, 'G2', 45],
  [104_000, 512, 2, 'T4', 32],
  [16_000, 120, 2, 'P100', 11],
  [128_000, 768, 8, 'G3', 4],
  [96_000, 384, 4, 'T4', 3],
  [32_000, 128, 4, 'V100', 3],
  [96_000, 768, 8, 'V100', 2],
];

/** Work in the proportions that such clusters report: CPU milli, memory GiB, devices, milli, parts. */
const POD_MIX: readonly [number, number, number, number, number][] = [
  [12_000, 48, 1, 1000, 30],
  [8000, 30, 1, 1000, 10],
  [18_000, 60, 1, 1000, 8],
  [3000, 10, 1, 810, 10],
  [8000, 30, 1, 470, 8],
  [4000, 12, 1, 320, 5],
  [6000, 16, 1, 650, 4],
  [4000, 8, 1, 160, 2],
  [2000, 4, 1, 230, 2],
  [16_000, 64, 0, 0, 8],
  [4000, 16, 0, 0, 6],
  [16_000, 64, 2, 1000, 1],
  [32_000, 128, 4, 1000, 1],
  [88_000, 320, 8, 1000, 1],
];

function pick<T extends readonly unknown[]>(mix: readonly T[], random: () => number): T {
  const parts = (row: T) => row[row.length - 1] as number;
  let u = random() * mix.reduce((sum, row) => sum + parts(row), 0);
  for (const row of mix) {
    u -= parts(row);
    if (u < 0) return row;
  }
  return mix[mix.length - 1]!;
}

export interface SyntheticOptions {
  readonly nodes: number;
  readonly pods: number;
  readonly seed?: number;
  /** Part of the GPU pods that name a model. Default 0.1. */
  readonly typed?: number;
}

/** A made-up cluster and its work, for where no trace is at hand. Deterministic by seed. */
export function syntheticTrace(options: SyntheticOptions): { nodes: TraceNode[]; pods: TracePod[] } {
  const random = seededRandom(options.seed ?? 1);
  const nodes = Array.from({ length: options.nodes }, (_, i): TraceNode => {
    const [cpuMilli, memory, gpus, model] = pick(NODE_MIX, random);
    return { sn: `node-${String(i).padStart(6, '0')}`, cpuMilli, memoryBytes: memory * GIB, gpus, model };
  });
  const models = NODE_MIX.map((row) => row[3]);
  const pods = Array.from({ length: options.pods }, (_, i): TracePod => {
    const [cpuMilli, memory, gpuCount, gpuMilli] = pick(POD_MIX, random);
    const typed = gpuCount === 1 && random() < (options.typed ?? 0.1);
    return {
      name: `pod-${String(i).padStart(6, '0')}`,
      cpuMilli,
      memoryBytes: memory * GIB,
      gpuCount,
      gpuMilli,
      models: typed ? [models[Math.floor(random() * models.length)]!] : [],
    };
  });
  return { nodes, pods };
}
