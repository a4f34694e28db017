import type { NodeView, QueueView, Quota } from '../view.ts';

/** Amounts that queues are charged with. */
export interface Amounts {
  gpuMilli: number;
  cpuMilli: number;
  memoryBytes: number;
}

const KEYS = ['gpuMilli', 'cpuMilli', 'memoryBytes'] as const;

export function clusterAmounts(nodes: readonly NodeView[]): Amounts {
  const all = { gpuMilli: 0, cpuMilli: 0, memoryBytes: 0 };
  for (const node of nodes) {
    all.cpuMilli += node.cpuMilli;
    all.memoryBytes += node.memoryBytes;
    for (const device of node.accelerators) all.gpuMilli += device.milli;
  }
  return all;
}

interface Branch {
  readonly id: string;
  readonly parent: Branch | undefined;
  readonly quota: Quota;
  readonly limit: Quota;
  readonly weight: number;
  readonly held: Amounts;
  /** When the oldest head of its leaves was submitted. */
  oldest: number;
}

const ROOT = '';

/** A bound that stands in the way of more. */
export interface Refusal {
  readonly code: 'limit' | 'quota';
  /** Whose bound it is; '' is the whole cluster. */
  readonly queue: string;
  readonly key: keyof Amounts;
}

/**
 * The queue tree with what each branch holds. A branch is charged with all that its leaves hold, so quotas and
 * limits bind at every level.
 */
export class FairShare {
  readonly #branches = new Map<string, Branch>();
  readonly #cluster: Amounts;

  constructor(queues: readonly QueueView[], cluster: Amounts) {
    this.#cluster = cluster;
    const given = new Map(queues.map((q) => [q.id, q]));
    const build = (id: string, seen: ReadonlySet<string>): Branch => {
      const known = this.#branches.get(id);
      if (known) return known;
      const q = given.get(id);
      // A parent that is unknown, or a circle, ends at the root.
      const above = q?.parent !== undefined && given.has(q.parent) && !seen.has(q.parent) ? q.parent : ROOT;
      const branch: Branch = {
        id,
        parent: id === ROOT ? undefined : build(above, new Set([...seen, id])),
        quota: q?.quota ?? {},
        limit: q?.limit ?? {},
        weight: q?.overQuotaWeight ?? 1,
        held: { gpuMilli: 0, cpuMilli: 0, memoryBytes: 0 },
        oldest: Number.POSITIVE_INFINITY,
      };
      this.#branches.set(id, branch);
      return branch;
    };
    build(ROOT, new Set());
    for (const q of [...queues].sort((a, b) => (a.id < b.id ? -1 : 1))) build(q.id, new Set());
  }

  #leaf(id: string): Branch {
    const known = this.#branches.get(id);
    if (known) return known;
    const branch: Branch = {
      id,
      parent: this.#branches.get(ROOT),
      quota: {},
      limit: {},
      weight: 1,
      held: { gpuMilli: 0, cpuMilli: 0, memoryBytes: 0 },
      oldest: Number.POSITIVE_INFINITY,
    };
    this.#branches.set(id, branch);
    return branch;
  }

  #path(id: string): Branch[] {
    const path: Branch[] = [];
    for (let b: Branch | undefined = this.#leaf(id); b; b = b.parent) path.unshift(b);
    return path;
  }

  /** Charges (1) or relieves (−1) the queue and everything above it. */
  charge(queue: string, amounts: Amounts, sign: 1 | -1): void {
    for (const branch of this.#path(queue)) for (const key of KEYS) branch.held[key] += sign * amounts[key];
  }

  /** The first bound that the amounts would break: a limit, or a quota of a queue that may not borrow. */
  refusal(queue: string, amounts: Amounts): Refusal | undefined {
    for (const branch of this.#path(queue)) {
      for (const key of KEYS) {
        if (amounts[key] === 0) continue;
        const after = branch.held[key] + amounts[key];
        const limit = branch.limit[key];
        if (limit !== undefined && after > limit) return { code: 'limit', queue: branch.id, key };
        const quota = branch.quota[key];
        if (branch.weight === 0 && quota !== undefined && after > quota)
          return { code: 'quota', queue: branch.id, key };
      }
    }
    return undefined;
  }

  /** Whether the queue would stay within what it deserves, at every level. GPU is deserved only by quota. */
  deserves(queue: string, amounts: Amounts): boolean {
    return this.#path(queue).every((b) => {
      if (b.id === ROOT) return true;
      if (amounts.gpuMilli > 0 && b.quota.gpuMilli === undefined) return false;
      const bounds = KEYS.filter((k) => b.quota[k] !== undefined);
      return (
        bounds.length > 0 && bounds.every((k) => amounts[k] === 0 || b.held[k] + amounts[k] <= b.quota[k]!)
      );
    });
  }

  /** Whether the queue, or one above it, holds more than it deserves. */
  borrows(queue: string): boolean {
    return this.#path(queue).some(
      (b) =>
        b.id !== ROOT &&
        (b.held.gpuMilli > (b.quota.gpuMilli ?? 0) ||
          KEYS.some((k) => b.quota[k] !== undefined && b.held[k] > b.quota[k]!)),
    );
  }

  /** Tells when the first waiting task of each queue was submitted; ties go to the older. */
  heads(submittedAt: ReadonlyMap<string, number>): void {
    for (const branch of this.#branches.values()) branch.oldest = Number.POSITIVE_INFINITY;
    for (const [queue, at] of submittedAt)
      for (const branch of this.#path(queue)) branch.oldest = Math.min(branch.oldest, at);
  }

  /**
   * Compares two queues; the one that goes first is lower. From the root down, at the first level where the
   * paths part: 1. within its quota before over it; 2. within: the smaller dominant share of its quota;
   * over: the smaller dominant share of the cluster held beyond the quota, per weight; 3. the older head; 4. id.
   */
  compare(a: string, b: string): number {
    if (a === b) return 0;
    const pathA = this.#path(a);
    const pathB = this.#path(b);
    let i = 0;
    while (i < pathA.length && i < pathB.length && pathA[i] === pathB[i]) i++;
    const x = pathA[i];
    const y = pathB[i];
    if (!x || !y) return pathA.length - pathB.length;
    const dx = this.#standing(x);
    const dy = this.#standing(y);
    return (
      Number(dx.over) - Number(dy.over) ||
      dx.share - dy.share ||
      compareTimes(x.oldest, y.oldest) ||
      (x.id < y.id ? -1 : 1)
    );
  }

  #standing(branch: Branch): { over: boolean; share: number } {
    let ofQuota = 0;
    let within = false;
    let full = false;
    let beyond = 0;
    for (const key of KEYS) {
      const quota = branch.quota[key];
      const held = branch.held[key];
      if (quota !== undefined) {
        within = true;
        full ||= held >= quota;
        ofQuota = Math.max(ofQuota, quota > 0 ? held / quota : 1);
      }
      beyond = Math.max(beyond, (held - (quota ?? 0)) / (this.#cluster[key] || 1));
    }
    if (within && !full) return { over: false, share: ofQuota };
    return { over: true, share: beyond / Math.max(branch.weight, 1e-9) };
  }
}

function compareTimes(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
