import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { VgpuError } from '@vgpu/core';
import type { Accelerator } from '../accelerator.ts';
import { hasMpsDaemon, stopMpsDaemon } from '../mps/mps-daemon.ts';
import { findMpsControl } from '../mps/mps-tool.ts';
import { ArbiterClient } from './arbiter-client.ts';
import { nativeFiles } from './native-files.ts';

/**
 * Where the arbiters of one VGPU_HOME keep their sockets. Socket paths are short by the kernel's rule
 * (108 bytes), and these must not outlive a reboot, so they are not below VGPU_HOME.
 */
export function arbiterRoot(home: string): string {
  const runtime =
    process.getuid?.() === 0 ? '/run' : (process.env.XDG_RUNTIME_DIR ?? `/tmp/vgpu-${process.getuid?.()}`);
  return join(runtime, `vgpu-${createHash('sha256').update(home).digest('hex').slice(0, 8)}`);
}

export const arbiterDir = (home: string, uuid: string): string =>
  join(arbiterRoot(home), createHash('sha256').update(uuid).digest('hex').slice(0, 12));

/** The name by which the limiter tells this device from others (native/README.md, `device`). */
export const limiterName = (device: Pick<Accelerator, 'provider' | 'uuid'>): string | undefined =>
  device.provider === 'nvidia' ? device.uuid : undefined;

/**
 * Makes sure that the accelerator's arbiter runs: finds the one that outlived an earlier server, else starts one
 * that outlives this server, so that running slices keep their bounds meanwhile.
 * @throws VgpuError `UNSUPPORTED` when it does not come up.
 */
export async function ensureArbiter(home: string, device: Accelerator): Promise<ArbiterClient> {
  const dir = arbiterDir(home, device.uuid);
  const client = new ArbiterClient(dir);
  const runs = await client.ping().then(
    () => true,
    () => false,
  );
  if (runs) return client;
  mkdirSync(arbiterRoot(home), { recursive: true, mode: 0o711 });
  const name = limiterName(device);
  const gangs = ['--gangs', join(arbiterRoot(home), 'gangs')];
  const args = ['--dir', dir, ...gangs, ...(name ? ['--device', name] : ['--nvml', 'none'])];
  const log = openSync(join(arbiterRoot(home), 'arbiter.log'), 'a');
  const child = spawn(nativeFiles().arbiter, args, {
    detached: true,
    stdio: ['ignore', 'pipe', log],
    cwd: '/',
  });
  const problem = await new Promise<string | null>((resolve) => {
    const timer = setTimeout(() => resolve('it said nothing for 5 s'), 5000);
    const settle = (text: string | null) => {
      clearTimeout(timer);
      resolve(text);
    };
    child.stdout?.on('data', (data: Buffer) => data.includes('ready') && settle(null));
    child.on('error', (error) => settle(error.message));
    // exit status 3: another one serves this folder already, which is as good
    child.on('exit', (code) => settle(code === 3 ? null : `it ended with exit code ${code}`));
  });
  child.stdout?.destroy();
  child.unref();
  if (!problem && child.pid && child.exitCode === null) writeFileSync(`${dir}.pid`, String(child.pid));
  closeSync(log);
  if (problem) {
    throw new VgpuError('UNSUPPORTED', {
      what: 'a share of an accelerator',
      problem: `the arbiter did not start: ${problem}`,
    });
  }
  return client;
}

/** The process that serves this folder, if it still runs: a PID may have been given to another program since. */
function arbiterPid(dir: string): number | null {
  try {
    const pid = Number(readFileSync(`${dir}.pid`, 'utf8'));
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return command.includes(dir) ? pid : null;
  } catch {
    return null;
  }
}

/** The slices that an arbiter's folder has, whether it runs or not. */
export const sliceIdsIn = (dir: string): string[] => namesIn(join(dir, 'slices'));

/** Ends the arbiters of this home that hold no slice, with their MPS daemons, and removes their folders. */
export async function stopIdleArbiters(home: string): Promise<void> {
  const root = arbiterRoot(home);
  for (const name of namesIn(root).filter((one) => one.endsWith('.pid'))) {
    const dir = join(root, name.slice(0, -'.pid'.length));
    const pid = arbiterPid(dir);
    if (pid !== null && sliceIdsIn(dir).length > 0) continue;
    if (pid !== null) {
      process.kill(pid, 'SIGTERM');
      // it writes its ledger once more when it ends
      for (let i = 0; i < 100 && arbiterPid(dir) !== null; i++) await sleep(10);
    }
    if (hasMpsDaemon(dir)) await stopMpsDaemon(findMpsControl(), dir);
    rmSync(join(root, name), { force: true });
    rmSync(dir, { recursive: true, force: true });
  }
  // a daemon whose arbiter never came up
  for (const name of namesIn(root)) {
    const dir = join(root, name);
    if (!hasMpsDaemon(dir) || namesIn(root).includes(`${name}.pid`)) continue;
    await stopMpsDaemon(findMpsControl(), dir);
    rmSync(dir, { recursive: true, force: true });
  }
  const left = namesIn(root).filter((name) => name !== 'arbiter.log' && name !== 'gangs');
  if (left.length === 0) rmSync(root, { recursive: true, force: true });
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
