import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { formatBytes, VgpuError } from '@vgpu/core';
import type { Accelerator } from '../accelerator.ts';
import { overcommitted } from '../host-backing.ts';
import { offered, poolOf } from '../pool.ts';
import { keptPools } from '../pool-file.ts';
import type { ArbiterClient } from './arbiter-client.ts';
import { arbiterDir, ensureArbiter, limiterName, stopIdleArbiters } from './arbiter-process.ts';
import { hasMemoryPartitions, makeGroup, removeDeadGroups, removeGroup, startIn } from './control-group.ts';
import { execSliceId, isExecSlice, isLiveExecSlice } from './exec-slice.ts';
import { limiterEnv } from './limiter-grant.ts';
import { UsageMeter } from './usage-meter.ts';

/** Removes slices whose `vgpu exec` was killed before it could, and that no program uses any more. */
async function reapDead(arbiter: ArbiterClient): Promise<void> {
  for (const { id, processes } of await arbiter.list()) {
    if (isExecSlice(id) && !isLiveExecSlice(id, processes)) await arbiter.remove(id);
  }
}

export interface ExecRequest {
  /** Milli-GPU. */
  milli: number;
  /** Bytes; 0 gives the same part of the memory as of the compute. */
  bytes: number;
  qos: 'guaranteed' | 'burstable' | 'best-effort';
  command: readonly string[];
}

/**
 * Runs a program of this host under a slice, with no server and no container, on the device with most room.
 * @param home VGPU_HOME, by which the arbiters are found.
 * @returns the program's exit code; 128 + n when signal n ended it, as shells say it.
 * @throws VgpuError `UNSATISFIABLE` when no device ever has room, `CONFLICT` when none has now, `FILE_NOT_FOUND` when there is no such program.
 */
export async function execUnderSlice(
  home: string,
  devices: readonly Accelerator[],
  request: ExecRequest,
): Promise<number> {
  const placed = await place(home, devices, request);
  const id = execSliceId();
  const name = limiterName(placed.device);
  const group = hasMemoryPartitions(placed.device) ? makeGroup(id) : undefined;
  const added = placed.arbiter.add({
    id,
    memory: placed.bytes,
    share: request.qos === 'best-effort' ? 0 : request.milli,
    qos: request.qos,
    ...(placed.scaling > 1 ? { scaling: placed.scaling } : {}),
    ...(name ? { device: name } : {}),
    ...(group ? { cgroup: group } : {}),
  });
  try {
    const env = {
      ...process.env,
      ...limiterEnv([await added]),
      ...(placed.device.provider === 'nvidia' ? { CUDA_VISIBLE_DEVICES: placed.device.uuid } : {}),
    };
    return await run(request.command, env, group);
  } finally {
    await placed.arbiter.remove(id);
    if (group) await removeGroup(group);
    await stopIdleArbiters(home);
  }
}

interface Placed {
  device: Accelerator;
  arbiter: ArbiterClient;
  bytes: number;
  /** Above 1: its memory may leave the device. */
  scaling: number;
}

/** Dedicated GPUs come first, then the device with most compute left, then the one with most memory left. */
async function place(home: string, devices: readonly Accelerator[], request: ExecRequest): Promise<Placed> {
  if (devices.length === 0) {
    throw new VgpuError('UNSATISFIABLE', { problem: 'no accelerator was found (`vgpu doctor` says why)' });
  }
  const meter = new UsageMeter();
  const pools = keptPools(home);
  if (process.getuid?.() === 0) removeDeadGroups((id) => isExecSlice(id) && !isLiveExecSlice(id));
  const offer = (device: Accelerator) => offered(device, poolOf(device.uuid, pools));
  const wanted = (device: Accelerator) => request.bytes || Math.floor((device.memory * request.milli) / 1000);
  const found = await Promise.all(
    devices.map(async (device) => {
      const arbiter = await ensureArbiter(home, device);
      await reapDead(arbiter);
      const held = meter.look(arbiterDir(home, device.uuid))?.slices ?? [];
      const { milli: allMilli, bytes: allBytes, slots: allSlots } = offer(device);
      const milli = allMilli - held.reduce((sum, slice) => sum + slice.shareMilli, 0);
      const bytes = allBytes - held.reduce((sum, slice) => sum + slice.capBytes, 0);
      const pool = poolOf(device.uuid, pools);
      const scaling = overcommitted(device, pool) ? pool.deviceMemoryScaling : 1;
      const mps = held.some((slice) => slice.mpsMilli > 0);
      return { device, arbiter, milli, bytes, slots: allSlots - held.length, scaling, mps };
    }),
  );
  const rank = (d: Accelerator) => (d.kind === 'gpu' ? 0 : 1);
  const [best] = found
    .filter((one) => one.bytes >= wanted(one.device) && one.slots > 0)
    // what shares a device with MPS clients has to be one
    .filter((one) => !one.mps)
    .filter((one) => request.qos === 'best-effort' || one.milli >= request.milli)
    .sort(
      (a, b) =>
        rank(a.device) - rank(b.device) ||
        b.milli - a.milli ||
        b.bytes - a.bytes ||
        (a.device.uuid < b.device.uuid ? -1 : 1),
    );
  if (best) return { ...best, bytes: wanted(best.device) };
  await stopIdleArbiters(home);
  const largest = Math.max(...devices.map((device) => offer(device).bytes));
  if (request.bytes > largest) {
    const problem = `${formatBytes(request.bytes)} is asked for, and the largest accelerator has ${formatBytes(largest)}`;
    throw new VgpuError('UNSATISFIABLE', { problem });
  }
  const left = found.map(({ device, milli, bytes, slots, mps }) => {
    if (mps) return `${device.model} runs slices under MPS`;
    return slots > 0
      ? `${device.model} has ${Math.max(0, milli) / 1000} GPU and ${formatBytes(Math.max(0, bytes))} left`
      : `${device.model} carries as many programs as its pool lets it`;
  });
  throw new VgpuError('CONFLICT', {
    problem: left.join('; '),
    advice: 'Ask for less, use --qos best-effort, or wait until other programs end.',
  });
}

function run(command: readonly string[], env: NodeJS.ProcessEnv, group?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const [program, ...args] = command;
    const child = startIn(group, () => spawn(program!, args, { stdio: 'inherit', env }));
    const forward = (signal: NodeJS.Signals) => child.kill(signal);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    for (const signal of signals) process.on(signal, forward);
    const settle = () => {
      for (const signal of signals) process.off(signal, forward);
    };
    child.on('error', (error: NodeJS.ErrnoException) => {
      settle();
      reject(
        error.code === 'ENOENT'
          ? new VgpuError('FILE_NOT_FOUND', { path: program!, cwd: process.cwd() })
          : error,
      );
    });
    child.on('exit', (code, signal) => {
      settle();
      resolve(code ?? 128 + constants.signals[signal!]);
    });
  });
}
