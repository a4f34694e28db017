import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { VgpuError } from '@vgpu/core';
import type { Accelerator } from '../accelerator.ts';
import type { ArbiterClient } from './arbiter-client.ts';
import { ensureArbiter, limiterName, stopIdleArbiters } from './arbiter-process.ts';
import { limiterEnv } from './limiter-grant.ts';

/** Ids of slices that `vgpu exec` made: they name the process that holds them. */
const EXEC_ID = /^exec\.(\d+)\.(\d+)$/;

/** Start time of a process in clock ticks since boot: with the PID it names a process for good. */
function startTicks(pid: number): string | null {
  try {
    // the command's name, in brackets, may hold spaces: count from behind it (proc(5), field 22)
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[19]!;
  } catch {
    return null;
  }
}

/** Whether a slice was made by a `vgpu exec` that still runs. */
export function isLiveExecSlice(id: string): boolean {
  const match = EXEC_ID.exec(id);
  return match !== null && startTicks(Number(match[1])) === match[2];
}

/** Removes slices whose `vgpu exec` was killed before it could. */
async function reapDead(arbiter: ArbiterClient): Promise<void> {
  for (const { id } of await arbiter.list()) {
    if (EXEC_ID.test(id) && !isLiveExecSlice(id)) await arbiter.remove(id);
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
 * @throws VgpuError `UNSATISFIABLE` when no device has room, `FILE_NOT_FOUND` when there is no such program.
 */
export async function execUnderSlice(
  home: string,
  devices: readonly Accelerator[],
  request: ExecRequest,
): Promise<number> {
  const placed = await place(home, devices, request);
  const id = `exec.${process.pid}.${startTicks(process.pid)}`;
  const bytes = request.bytes || Math.floor((placed.device.memory * request.milli) / 1000);
  const name = limiterName(placed.device);
  const dir = await placed.arbiter.add({
    id,
    memory: bytes,
    share: request.qos === 'best-effort' ? 0 : request.milli,
    qos: request.qos,
    ...(name ? { device: name } : {}),
  });
  try {
    return await run(request.command, {
      ...process.env,
      ...limiterEnv([dir]),
      ...(placed.device.provider === 'nvidia' ? { CUDA_VISIBLE_DEVICES: placed.device.uuid } : {}),
    });
  } finally {
    await placed.arbiter.remove(id);
    await stopIdleArbiters(home);
  }
}

async function place(
  home: string,
  devices: readonly Accelerator[],
  request: ExecRequest,
): Promise<{ device: Accelerator; arbiter: ArbiterClient }> {
  if (devices.length === 0) {
    throw new VgpuError('UNSATISFIABLE', { problem: 'no accelerator was found (`vgpu doctor` says why)' });
  }
  const refusals: string[] = [];
  // dedicated GPUs first, larger ones first
  const rank = (d: Accelerator) => (d.kind === 'gpu' ? 0 : 1);
  const ordered = [...devices].sort(
    (a, b) => rank(a) - rank(b) || b.memory - a.memory || (a.uuid < b.uuid ? -1 : 1),
  );
  for (const device of ordered) {
    if (request.bytes > device.memory) {
      refusals.push(`${device.model} has less memory`);
      continue;
    }
    const arbiter = await ensureArbiter(home, device);
    await reapDead(arbiter);
    return { device, arbiter };
  }
  throw new VgpuError('UNSATISFIABLE', { problem: refusals.join('; ') });
}

function run(command: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const [program, ...args] = command;
    const child = spawn(program!, args, { stdio: 'inherit', env });
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
