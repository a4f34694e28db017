import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { VgpuError } from '@vgpu/core';
import type { Accelerator } from '../accelerator.ts';
import { ensureOwnSpec } from '../cdi/nvidia-spec.ts';
import { backedBytes, overcommitted } from '../host-backing.ts';
import type { Inventory } from '../inventory.ts';
import {
  ensureMpsDaemon,
  hasMpsDaemon,
  limitMpsClients,
  type MpsFolders,
  mpsFolders,
  stopMpsDaemon,
} from '../mps/mps-daemon.ts';
import { mpsGrant } from '../mps/mps-grant.ts';
import { type MpsHost, mpsHost, mpsPlan } from '../mps/mps-plan.ts';
import { offered, type Pool, poolOf } from '../pool.ts';
import { ArbiterClient, ArbiterError } from './arbiter-client.ts';
import { arbiterDir, ensureArbiter, limiterName, sliceIdsIn } from './arbiter-process.ts';
import { groupOf, hasMemoryPartitions } from './control-group.ts';
import { deviceGrant } from './device-grant.ts';
import { isExecSlice, isLiveExecSlice } from './exec-slice.ts';
import { emptyGrant, type Grant, joinGrants } from './grant.ts';
import { limiterGrant } from './limiter-grant.ts';
import { type Share, type Slice, type SliceRequest, sliceOf } from './slice.ts';
import { type DeviceUse, UsageMeter } from './usage-meter.ts';

/** An arbiter's answers where memory is over-committed as far as it may be. */
const NO_ROOM = new Set(['overcommitted', 'host_memory', 'uncapped']);
/** Between one task and the next a daemon stays. */
const MPS_IDLE_MS = 60_000;

/** Makes slices real: adds them to the arbiters, turns them into grants for containers, and takes them back. */
export class SliceManager {
  readonly #home: string;
  readonly #inventory: Inventory;
  readonly #slices = new Map<string, Slice>();
  readonly #meter = new UsageMeter();
  readonly #mpsHost: () => MpsHost;
  /** Since when devices have an MPS daemon that nobody needs, epoch ms. */
  readonly #mpsIdle = new Map<string, number>();
  #specChecked = false;

  /** @param home names this installation: arbiters of another VGPU_HOME are never touched. */
  constructor(home: string, inventory: Inventory, host: () => MpsHost = mpsHost) {
    this.#home = home;
    this.#inventory = inventory;
    this.#mpsHost = host;
  }

  get slices(): readonly Slice[] {
    return [...this.#slices.values()];
  }

  /** The slices that `grant` makes of this request. Pure: a restart finds by it what an attempt holds. */
  describe(request: SliceRequest, pools: readonly Pool[]): Slice[] {
    return request.shares.map((share, n) =>
      sliceOf(request, n, this.#device(share.uuid), poolOf(share.uuid, pools)),
    );
  }

  /**
   * Binds shares to an attempt. All or none: on failure what was made is taken back.
   * @throws VgpuError `UNSUPPORTED` where the limiter or its arbiter cannot work, `CONFLICT` for an unknown device.
   */
  async grant(
    request: SliceRequest,
    options: { pools: readonly Pool[]; cdi: boolean },
  ): Promise<{ grant: Grant; slices: Slice[] }> {
    const made = this.describe(request, options.pools);
    if (options.cdi && !this.#specChecked) ensureOwnSpec(this.#inventory.accelerators);
    this.#specChecked = true;
    let grant = emptyGrant();
    const dirs: string[] = [];
    try {
      for (const slice of made) {
        const device = this.#device(slice.uuid);
        grant = joinGrants(grant, deviceGrant(device, options.cdi));
        this.#slices.set(slice.id, slice);
        if (slice.mode !== 'shared') continue;
        const pool = poolOf(device.uuid, options.pools);
        const pipes = await this.#mps(device, slice, pool, made.length);
        dirs.push(await this.#add(device, slice, pool, { mps: pipes, gang: gangOf(made) }));
        if (pipes) grant = joinGrants(grant, this.#mpsGrant(slice, pool));
      }
      if (dirs.length > 0) grant = joinGrants(grant, limiterGrant(dirs));
      const limited = made.filter((slice) => slice.mode === 'shared');
      const backed = backedBytes(limited, this.#inventory.accelerators, options.pools);
      if (backed > 0) grant = { ...grant, hostBytes: backed };
      return { grant, slices: made };
    } catch (error) {
      await this.release(request.attempt).catch(() => {});
      throw error;
    }
  }

  /**
   * Once an attempt's container is there: NVIDIA's driver holds its control group to the memory of its slices, where it
   * can. Of programs that go around the limiter as well.
   * @param firstProcess finds the container's first process, by its PID on the host; asked only where it matters.
   */
  async confine(attempt: string, firstProcess: () => Promise<number | undefined>): Promise<void> {
    const limited = this.slices.filter((slice) => slice.attempt === attempt && slice.mode === 'shared');
    const held = limited.filter((slice) => hasMemoryPartitions(this.#device(slice.uuid)));
    const pid = held.length > 0 ? await firstProcess() : undefined;
    const group = pid ? groupOf(pid) : undefined;
    if (!group) return;
    for (const { uuid, id } of held) await new ArbiterClient(arbiterDir(this.#home, uuid)).confine(id, group);
  }

  /** Takes back everything that an attempt holds. Safe to call twice. */
  async release(attempt: string): Promise<void> {
    const held = this.slices.filter((slice) => slice.attempt === attempt);
    for (const slice of held) {
      if (slice.mode === 'shared') await this.#remove(slice.uuid, slice.id);
      this.#slices.delete(slice.id);
    }
  }

  /** After a restart: remembers the slices of attempts that still run, and removes all others from the arbiters. */
  async adopt(running: readonly Slice[]): Promise<{ removed: string[] }> {
    for (const slice of running) this.#slices.set(slice.id, slice);
    const removed: string[] = [];
    for (const { uuid } of this.#inventory.accelerators) {
      for (const id of sliceIdsIn(arbiterDir(this.#home, uuid))) {
        if (this.#slices.has(id) || isLiveExecSlice(id, this.#use(uuid, id)?.processes)) continue;
        await this.#remove(uuid, id);
        removed.push(id);
      }
    }
    await this.keepArbiters();
    return { removed };
  }

  /** Starts again the arbiters and MPS daemons that died while slices depend on them; they take their slices up by themselves. */
  async keepArbiters(): Promise<void> {
    const uuids = new Set(this.slices.filter((slice) => slice.mode === 'shared').map((slice) => slice.uuid));
    for (const device of this.#inventory.accelerators) {
      if (!uuids.has(device.uuid)) {
        await this.#stopIdleMps(device.uuid);
        continue;
      }
      this.#mpsIdle.delete(device.uuid);
      await ensureArbiter(this.#home, device);
      const dir = arbiterDir(this.#home, device.uuid);
      const { control } = this.#mpsHost();
      if (control && hasMpsDaemon(dir) && this.underMps(device.uuid)) await this.#mpsDaemon(control, device);
    }
  }

  /** A daemon that nobody needs any more, and has not needed for a while, goes: its server holds memory of the device. */
  async #stopIdleMps(uuid: string): Promise<void> {
    const dir = arbiterDir(this.#home, uuid);
    if (!hasMpsDaemon(dir) || sliceIdsIn(dir).length > 0) return;
    const since = this.#mpsIdle.get(uuid) ?? Date.now();
    this.#mpsIdle.set(uuid, since);
    if (Date.now() - since < MPS_IDLE_MS) return;
    this.#mpsIdle.delete(uuid);
    await stopMpsDaemon(this.#mpsHost().control, dir);
  }

  /** What the slices of a device use now; null where none was ever made. */
  usage(uuid: string): DeviceUse | null {
    return this.#meter.look(arbiterDir(this.#home, uuid));
  }

  /** What `vgpu exec` gave out beside the server: as much less is free. */
  foreignShares(): Share[] {
    return this.#inventory.accelerators.flatMap(({ uuid }) =>
      (this.usage(uuid)?.slices ?? [])
        .filter((slice) => isExecSlice(slice.id) && isLiveExecSlice(slice.id, slice.processes))
        .map((slice) => ({ uuid, milli: slice.shareMilli, bytes: slice.capBytes })),
    );
  }

  /** Whether the slices that a device has now are under MPS; null where it has none. */
  underMps(uuid: string, except?: string): boolean | null {
    const others = this.usage(uuid)?.slices.filter((slice) => slice.id !== except) ?? [];
    return others.length === 0 ? null : others.some((slice) => slice.mpsMilli > 0);
  }

  /**
   * The pipes of the MPS daemon that a new slice's processes become clients of; undefined: it is not under MPS. All
   * slices of a device are, or none: so what is there decides, and else the pool.
   */
  async #mps(device: Accelerator, slice: Slice, pool: Pool, devices: number): Promise<string | undefined> {
    const host = this.#mpsHost();
    const plan = mpsPlan(device, pool, host);
    const there = this.underMps(device.uuid, slice.id);
    const refuse = (why: string) => {
      if (pool.mps !== 'required') return undefined;
      throw new VgpuError('UNSUPPORTED', {
        what: `MPS, which the pool ${pool.name} requires,`,
        problem: why,
      });
    };
    if (there === true) {
      const owner = this.slices.find((one) => one.uuid === device.uuid && one.id !== slice.id);
      if (!pool.mpsAcrossProjects && owner && (owner.project === null || owner.project !== slice.project)) {
        const problem = `${device.model} runs another project's tasks under MPS`;
        throw new VgpuError('CONFLICT', { problem, advice: 'Wait until they end.' });
      }
      if (!host.control)
        throw new VgpuError('CONFLICT', { problem: 'nvidia-cuda-mps-control is gone', advice: '' });
    } else if (!plan.use) {
      return refuse(plan.why);
    } else if (there === false) {
      return refuse('slices without MPS are still running on the device');
    } else if (devices > 1) {
      return refuse('a process has one MPS server, and the task asks for several devices');
    }
    const dir = arbiterDir(this.#home, device.uuid);
    mkdirSync(dir, { recursive: true, mode: 0o711 });
    return (await this.#mpsDaemon(host.control!, device, [slice.bytes])).pipes;
  }

  /** The device's daemon, which lets no client have more than the largest of the slices may. @param more caps, in bytes */
  async #mpsDaemon(control: string, device: Accelerator, more: readonly number[] = []): Promise<MpsFolders> {
    const folders = await ensureMpsDaemon(control, arbiterDir(this.#home, device.uuid), device.uuid);
    const caps = [...more, ...(this.usage(device.uuid)?.slices ?? []).map((one) => one.capBytes)];
    await limitMpsClients(control, folders, caps.includes(0) ? device.memory : Math.max(0, ...caps));
    return folders;
  }

  #mpsGrant(slice: Slice, pool: Pool): Grant {
    const folders = mpsFolders(arbiterDir(this.#home, slice.uuid));
    const milli = this.#use(slice.uuid, slice.id)?.mpsMilli ?? 1000;
    return mpsGrant(folders, milli, pool.deviceMemoryScaling > 1 ? 0 : slice.bytes);
  }

  #use(uuid: string, id: string) {
    return this.usage(uuid)?.slices.find((slice) => slice.id === id);
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

  /** Without an arbiter the slice is a folder that the next one would take up: that goes. */
  async #remove(uuid: string, id: string): Promise<void> {
    const dir = arbiterDir(this.#home, uuid);
    const arbiter = new ArbiterClient(dir);
    try {
      await arbiter.remove(id);
    } catch (error) {
      if (error instanceof ArbiterError) throw error;
      rmSync(join(dir, 'slices', id), { recursive: true, force: true });
    }
  }

  async #add(
    device: Accelerator,
    slice: Slice,
    pool: Pool,
    { mps, gang }: { mps: string | undefined; gang: string | undefined },
  ): Promise<string> {
    const arbiter = await ensureArbiter(this.#home, device);
    // shares are of what is handed out: under deviceCoreScaling 2, 1000 milli are half of the device's time
    const share = Math.floor((slice.milli * 1000) / Math.max(1000, offered(device, pool).milli));
    const made = arbiter.add({
      id: slice.id,
      memory: slice.bytes,
      share: slice.qos === 'best-effort' ? 0 : share,
      qos: slice.qos,
      ...(gang ? { gang } : {}),
      ...(overcommitted(device, pool) ? { scaling: pool.deviceMemoryScaling } : {}),
      device: limiterName(device),
      ...(mps ? { mps } : {}),
    });
    return made.catch((error) => {
      if (!(error instanceof ArbiterError && NO_ROOM.has(error.code))) throw error;
      throw new VgpuError('CONFLICT', {
        problem: `${device.model}: ${error.message}`,
        advice: 'Wait until other tasks end, or ask for less memory.',
      });
    });
  }
}

/** Fractions of several devices that one attempt holds: its kernels on one may wait for those on the others. */
function gangOf(made: readonly Slice[]): string | undefined {
  const shared = made.filter((slice) => slice.mode === 'shared');
  return new Set(shared.map((slice) => slice.uuid)).size > 1 ? shared[0]!.attempt : undefined;
}
