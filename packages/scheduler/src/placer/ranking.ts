import type { GpuStates } from './gpu-states.ts';

/** What a ranking knows of the shape that is being placed. */
export interface RankedShape {
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly gpuMilli: number;
  readonly gpuCount: number;
}

/**
 * Scores the ways to place a shape. Higher is better; the first node in order wins ties. A ranking never
 * refuses: every finite score is a placement.
 */
export interface NodeRanking {
  readonly name: string;
  /**
   * @param shape what is placed
   * @param state device state of the node before, and `next` after the placement
   * @param cpu free CPU in milli before the placement
   * @param memory free memory in bytes before the placement
   */
  score(shape: RankedShape, state: number, next: number, cpu: number, memory: number): number;
}

/** What a ranking is built from: the interned states and the names of the models in use. */
export interface RankingContext {
  readonly states: GpuStates;
  /** Model name by id. */
  readonly models: readonly string[];
  /** CPU (milli) of the largest node and devices of the largest node, for normalised scores. */
  readonly maxCpuMilli: number;
  readonly maxGpus: number;
  /** Devices per model id, for what the cluster has of each. */
  readonly gpusByModel: readonly number[];
}
