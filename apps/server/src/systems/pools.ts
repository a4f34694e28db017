import type { pool as poolContract } from '@vgpu/api';
import { VgpuError } from '@vgpu/core';
import { defaultPool, keepPools, type Pool, poolOf } from '@vgpu/devices';
import type { PoolTable, Store } from '@vgpu/store';
import type { z } from 'zod';

type PoolView = z.output<typeof poolContract>;
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/;
/** Pools belong to the machine, not to a tenant. */
const PROJECT = 'system';

const ofRow = (row: PoolTable): Pool => ({
  name: row.name,
  accelerators: JSON.parse(row.accelerators) as string[],
  deviceSplitCount: row.split_count,
  deviceCoreScaling: row.core_scaling,
  deviceMemoryScaling: row.memory_scaling,
  mps: row.mps,
  mpsAcrossProjects: row.mps_across_projects !== 0,
});

/** Pools of accelerators and their sharing settings: in the store, and in memory for the scheduler. */
export class Pools {
  readonly #store: Store;
  #pools: Pool[] = [defaultPool];

  readonly #home: string;

  private constructor(store: Store, home: string) {
    this.#store = store;
    this.#home = home;
  }

  /** @param home VGPU_HOME, where the pools are kept for `vgpu exec` too. */
  static async open(store: Store, home: string): Promise<Pools> {
    const pools = new Pools(store, home);
    await pools.#load();
    return pools;
  }

  /** All pools; `default` is always there. */
  all(): readonly Pool[] {
    return this.#pools;
  }

  /**
   * As the API shows them: each with the accelerators that are in it now, those of the default pool (which it never
   * names) included, and those that it names although they are not found at present.
   * @param found UUIDs of the accelerators of this machine
   */
  views(found: readonly string[]): PoolView[] {
    const unnamed = found.filter((uuid) => poolOf(uuid, this.#pools).name === defaultPool.name);
    return this.#pools.map((pool) => {
      const named = pool.name === defaultPool.name ? [...pool.accelerators, ...unnamed] : pool.accelerators;
      return { ...pool, accelerators: [...new Set(named)] };
    });
  }

  /** Creates or changes a pool. An accelerator belongs to the last pool that named it. */
  async set(name: string, change: Partial<Omit<PoolView, 'name'>>): Promise<void> {
    if (!NAME.test(name)) throw new VgpuError('BAD_NAME', { what: 'pool', name });
    const known = this.#pools.find((pool) => pool.name === name) ?? { ...defaultPool, name };
    const next: Pool = { ...known, ...change, name };
    const others = this.#pools.filter((pool) => pool.name !== name);
    await this.#store.write(async (trx) => {
      for (const pool of [next, ...others]) {
        const accelerators =
          pool === next
            ? pool.accelerators
            : pool.accelerators.filter((uuid) => !next.accelerators.includes(uuid));
        const values = {
          accelerators: JSON.stringify(accelerators),
          split_count: pool.deviceSplitCount,
          core_scaling: pool.deviceCoreScaling,
          memory_scaling: pool.deviceMemoryScaling,
          mps: pool.mps,
          mps_across_projects: pool.mpsAcrossProjects ? 1 : 0,
        };
        await trx
          .insertInto('pools')
          .values({ project: PROJECT, name: pool.name, ...values })
          .onConflict((c) => c.columns(['project', 'name']).doUpdateSet(values))
          .execute();
      }
    });
    await this.#load();
  }

  /** @throws VgpuError `NOT_FOUND`; `CONFLICT` for the default pool. */
  async remove(name: string): Promise<void> {
    if (name === defaultPool.name) {
      const advice = 'It holds every accelerator that no other pool names.';
      throw new VgpuError('CONFLICT', { problem: 'the default pool stays', advice });
    }
    const done = await this.#store.write((trx) =>
      trx.deleteFrom('pools').where('project', '=', PROJECT).where('name', '=', name).executeTakeFirst(),
    );
    if (done.numDeletedRows === 0n)
      throw new VgpuError('NOT_FOUND', { what: 'pool', id: name, list: 'gpu pool ls' });
    await this.#load();
  }

  async #load(): Promise<void> {
    const rows = await this.#store.read
      .selectFrom('pools')
      .selectAll()
      .where('project', '=', PROJECT)
      .orderBy('name')
      .execute();
    const pools = rows.map(ofRow);
    this.#pools = pools.some((pool) => pool.name === defaultPool.name) ? pools : [defaultPool, ...pools];
    keepPools(this.#home, this.#pools);
  }
}
