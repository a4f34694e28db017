import type { Amounts, Project, ProjectChange } from '@vgpu/api';
import { formatBytes, type JobSpec, VgpuError } from '@vgpu/core';
import type { QueueView, Quota } from '@vgpu/scheduler';
import type { ProjectTable, Store } from '@vgpu/store';
import type { Selectable } from 'kysely';

type Settings = Omit<Project, 'used' | 'running' | 'waiting'>;
type Bounds = Partial<Record<keyof Amounts, number>>;

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/;
const KEYS = ['gpu', 'cpu', 'memory'] as const;

const amountsOf = (bounds: Bounds): Amounts => ({
  gpu: bounds.gpu ?? null,
  cpu: bounds.cpu ?? null,
  memory: bounds.memory ?? null,
});

const ofRow = (row: Selectable<ProjectTable>): Settings => ({
  name: row.project,
  parent: row.parent,
  quota: amountsOf(JSON.parse(row.quota) as Bounds),
  limit: amountsOf(JSON.parse(row.cap) as Bounds),
  overQuotaWeight: row.over_quota_weight,
  allowEgress: row.allow_egress === 1,
  createdAt: row.created_at,
});

const quotaOf = ({ gpu, cpu, memory }: Amounts): Quota => ({
  ...(gpu === null ? {} : { gpuMilli: gpu }),
  ...(cpu === null ? {} : { cpuMilli: cpu }),
  ...(memory === null ? {} : { memoryBytes: memory }),
});

const stored = (amounts: Amounts): string =>
  JSON.stringify(
    Object.fromEntries(KEYS.flatMap((key) => (amounts[key] === null ? [] : [[key, amounts[key]]]))),
  );

const inWords = (key: keyof Amounts, value: number): string =>
  key === 'memory' ? `${formatBytes(value)} of memory` : `${value / 1000} ${key === 'gpu' ? 'GPU' : 'CPU'}`;

/** Projects with their quotas: in the store, and in memory for the scheduler. */
export class Projects {
  readonly #store: Store;
  #all = new Map<string, Settings>();
  #queues: readonly QueueView[] = [];

  private constructor(store: Store) {
    this.#store = store;
  }

  static async open(store: Store): Promise<Projects> {
    const projects = new Projects(store);
    await projects.#load();
    return projects;
  }

  /** Every project, by name; those that tokens made since the last look are among them. */
  async list(): Promise<Settings[]> {
    await this.#load();
    return [...this.#all.values()];
  }

  /** Projects as queues of the scheduler. One without an entry has no quota and weight 1. */
  queues(): readonly QueueView[] {
    return this.#queues;
  }

  /**
   * Creates or changes a project.
   * @throws VgpuError `BAD_NAME`; `NOT_FOUND` for an unknown parent; `CONFLICT` where parents form a circle.
   */
  async set(name: string, change: ProjectChange): Promise<Settings> {
    if (!NAME.test(name) || name === 'system') throw new VgpuError('BAD_NAME', { what: 'project', name });
    await this.#load();
    const known = this.#all.get(name);
    const parent = change.parent === undefined ? (known?.parent ?? null) : change.parent;
    this.#checkParent(name, parent);
    const values = {
      parent,
      quota: stored({ ...amountsOf({}), ...known?.quota, ...change.quota }),
      cap: stored({ ...amountsOf({}), ...known?.limit, ...change.limit }),
      over_quota_weight: change.overQuotaWeight ?? known?.overQuotaWeight ?? 1,
      allow_egress: Number(change.allowEgress ?? known?.allowEgress ?? false),
    };
    await this.#store.write((trx) =>
      trx
        .insertInto('projects')
        .values({ project: name, created_at: Date.now(), ...values })
        .onConflict((c) => c.column('project').doUpdateSet(values))
        .execute(),
    );
    await this.#load();
    return this.#all.get(name)!;
  }

  /**
   * Refuses a request that its project, or one above it, could never hold.
   * @throws VgpuError `QUOTA_EXCEEDED`
   */
  checkRequest(project: string, { resources }: JobSpec): void {
    const seen = new Set<string>();
    let at = this.#all.get(project);
    while (at && !seen.has(at.name)) {
      seen.add(at.name);
      for (const key of KEYS) {
        const asked = resources[key];
        if (asked === 0) continue;
        // One that never borrows is bounded by its quota as well.
        const bounds = [at.limit[key], at.overQuotaWeight === 0 ? at.quota[key] : null];
        for (const bound of bounds) {
          if (bound === null || asked <= bound) continue;
          const problem = `a task asks for ${inWords(key, asked)}, and ${at.name} may hold ${inWords(key, bound)}`;
          throw new VgpuError('QUOTA_EXCEEDED', { project, problem });
        }
      }
      at = at.parent === null ? undefined : this.#all.get(at.parent);
    }
  }

  #checkParent(name: string, parent: string | null): void {
    for (let above = parent; above !== null; above = this.#all.get(above)!.parent) {
      if (above === name) {
        const advice = 'Choose a parent that is not below it.';
        throw new VgpuError('CONFLICT', { problem: `${name} would be above itself`, advice });
      }
      if (!this.#all.has(above)) {
        throw new VgpuError('NOT_FOUND', { what: 'project', id: above, list: 'project ls' });
      }
    }
  }

  async #load(): Promise<void> {
    const rows = await this.#store.read.selectFrom('projects').selectAll().orderBy('project').execute();
    this.#all = new Map(rows.map((row) => [row.project, ofRow(row)]));
    this.#queues = [...this.#all.values()].map((one) => ({
      id: one.name,
      ...(one.parent === null ? {} : { parent: one.parent }),
      quota: quotaOf(one.quota),
      limit: quotaOf(one.limit),
      overQuotaWeight: one.overQuotaWeight,
    }));
  }
}
