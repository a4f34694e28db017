import { VgpuError } from '@vgpu/core';
import type { Accelerator } from '../accelerator.ts';
import type { Inventory } from '../inventory.ts';
import { offered, type Pool, poolOf } from '../pool.ts';
import { ArbiterClient } from './arbiter-client.ts';
import { arbiterDir, ensureArbiter, limiterName } from './arbiter-process.ts';
import { deviceGrant } from './device-grant.ts';
import { isLiveExecSlice } from './exec.ts';
import { emptyGrant, type Grant, joinGrants } from './grant.ts';
import { limiterGrant } from './limiter-grant.ts';

export type Qos = 'guaranteed' | 'burstable' | 'best-effort';

/** A share of one accelerator as the scheduler gave it out. */
export interface Share {
  readonly uuid: string;
  readonly milli: number;
  readonly bytes: number;
}

/** A slice that a task holds. */
export interface Slice extends Share {
  /** Unique over all accelerators: `<attempt>.<n>`. */
  readonly id: string;
  readonly attempt: string;
  readonly task: string;
  readonly mode: 'passthrough' | 'shared';
  readonly isolation: 'soft' | 'hard';
  readonly qos: Qos;
}

/** What a slice uses now, from the arbiter's ledger. */
export interface SliceUse {
  readonly id: string;
  readonly processes: number;
  readonly bytes: number;
  /** Milli-GPU over the time since the last reading. */
  readonly milli: number;
}

/**
 * Makes slices real: adds them to the arbiters, turns them into grants for containers, and takes them back.
 * A whole NVIDIA device that a task has alone is passed through at native speed; everything else goes through the
 * limiter, so that its bounds hold.
 */
export class SliceManager {
  readonly #home: string;
  readonly #inventory: Inventory;
  readonly #slices = new Map<string, Slice>();
  readonly #lastNs = new Map<string, { ns: number; at: number }>();

  /** @param home names this installation: arbiters of another VGPU_HOME are never touched. */
  constructor(home: string, inventory: Inventory) {
    this.#home = home;
    this.#inventory = inventory;
  }

  get slices(): readonly Slice[] {
    return [...this.#slices.values()];
  }

  /**
   * Binds shares to an attempt. All or none: on failure what was made is taken back.
   * @throws VgpuError `UNSUPPORTED` where the limiter or its arbiter cannot work, `CONFLICT` for an unknown device.
   */
  async grant(
    request: { attempt: string; task: string; shares: readonly Share[]; qos: Qos },
    options: { pools: readonly Pool[]; cdi: boolean },
  ): Promise<{ grant: Grant; slices: Slice[] }> {
    const made: Slice[] = [];
    let grant = emptyGrant();
    const dirs: string[] = [];
    try {
      for (const [n, share] of request.shares.entries()) {
        const device = this.#device(share.uuid);
        const whole = share.milli >= 1000 && device.provider === 'nvidia';
        const slice: Slice = {
          ...share,
          id: `${request.attempt}.${n}`,
          attempt: request.attempt,
          task: request.task,
          mode: whole ? 'passthrough' : 'shared',
          isolation: whole ? 'hard' : 'soft',
          qos: request.qos,
        };
        grant = joinGrants(grant, deviceGrant(device, options.cdi));
        if (!whole) dirs.push(await this.#add(device, slice, poolOf(device.uuid, options.pools)));
        this.#slices.set(slice.id, slice);
        made.push(slice);
      }
      if (dirs.length > 0) grant = joinGrants(grant, limiterGrant(dirs));
      return { grant, slices: made };
    } catch (error) {
      await this.release(request.attempt).catch(() => {});
      throw error;
    }
  }

  /** Takes back everything that an attempt holds. Safe to call twice. */
  async release(attempt: string): Promise<void> {
    const held = this.slices.filter((slice) => slice.attempt === attempt);
    for (const slice of held) {
      if (slice.mode === 'shared') {
        const arbiter = await this.#arbiter(slice.uuid);
        await arbiter.remove(slice.id);
      }
      this.#slices.delete(slice.id);
      this.#lastNs.delete(slice.id);
    }
  }

  /** After a restart: remembers the slices of attempts that still run, and removes all others from the arbiters. */
  async adopt(running: readonly Slice[]): Promise<{ removed: string[] }> {
    for (const slice of running) this.#slices.set(slice.id, slice);
    const removed: string[] = [];
    for (const device of this.#inventory.accelerators) {
      const arbiter = await existing(arbiterDir(this.#home, device.uuid));
      for (const row of (await arbiter?.list().catch(() => [])) ?? []) {
        if (this.#slices.has(row.id) || isLiveExecSlice(row.id)) continue;
        await arbiter!.remove(row.id);
        removed.push(row.id);
      }
    }
    return { removed };
  }

  /** Starts again the arbiters that died while slices depend on them; they take their slices up by themselves. */
  async keepArbiters(): Promise<void> {
    const uuids = new Set(this.slices.filter((slice) => slice.mode === 'shared').map((slice) => slice.uuid));
    for (const uuid of uuids) await this.#arbiter(uuid);
  }

  /** What each slice of a device uses now. */
  async usage(uuid: string): Promise<SliceUse[]> {
    const arbiter = await existing(arbiterDir(this.#home, uuid));
    const rows = (await arbiter?.list().catch(() => [])) ?? [];
    const now = performance.now();
    return rows.map((row) => {
      const last = this.#lastNs.get(row.id);
      this.#lastNs.set(row.id, { ns: row.deviceNs, at: now });
      const elapsed = last ? (now - last.at) * 1e6 : 0;
      const milli = last && elapsed > 0 ? ((row.deviceNs - last.ns) / elapsed) * 1000 : 0;
      return { id: row.id, processes: row.processes, bytes: row.memoryUsed, milli: Math.max(0, milli) };
    });
  }

  #device(uuid: string): Accelerator {
    const device = this.#inventory.accelerators.find((one) => one.uuid === uuid);
    if (!device)
      throw new VgpuError('CONFLICT', {
        problem: `no accelerator ${uuid} here`,
        advice: 'See `vgpu gpu ls`.',
      });
    return device;
  }

  #arbiter(uuid: string): Promise<ArbiterClient> {
    return ensureArbiter(this.#home, this.#device(uuid));
  }

  async #add(device: Accelerator, slice: Slice, pool: Pool): Promise<string> {
    const arbiter = await this.#arbiter(device.uuid);
    // shares are of what is handed out: under deviceCoreScaling 2, 1000 milli are half of the device's time
    const share = Math.floor((slice.milli * 1000) / offered(device, pool).milli);
    return arbiter.add({
      id: slice.id,
      memory: slice.bytes,
      share: slice.qos === 'best-effort' ? 0 : share,
      qos: slice.qos,
      overcommit: pool.deviceMemoryScaling > 1,
      device: limiterName(device),
    });
  }
}

/** The arbiter that serves this folder, or null where none runs. */
async function existing(dir: string): Promise<ArbiterClient | null> {
  const client = new ArbiterClient(dir);
  return client.ping().then(
    () => client,
    () => null,
  );
}
