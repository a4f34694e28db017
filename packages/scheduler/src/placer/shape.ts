/** What a placement needs of one node. Equal shapes share their candidates. */
export interface ShapeSpec {
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  /** Per device; ignored where gpuCount is 0. */
  readonly gpuMilli: number;
  readonly gpuCount: number;
  /** Acceptable models; empty or absent: any. */
  readonly models?: readonly string[];
  readonly constraints?: Constraints;
}

/** What numbers cannot say. Both may look at the node in question and at no other, so that answers can be kept
 * until that node changes. */
export interface Constraints {
  /** Equal keys mean equal answers. */
  readonly key: string;
  fits(node: number): boolean;
  /** Added to the node's score. */
  bias?(node: number): number;
}

/** A shape known to a placer, by number. */
export interface Shape extends ShapeSpec {
  readonly id: number;
  readonly demand: number;
  /** By model id: 1 where acceptable. */
  readonly accepts: Uint8Array;
}

export function shapeKey(spec: ShapeSpec): string {
  const models = spec.models?.length ? [...new Set(spec.models)].sort().join('|') : '';
  return `${spec.constraints?.key ?? ''};${spec.cpuMilli},${spec.memoryBytes},${spec.gpuMilli},${spec.gpuCount},${models}`;
}
