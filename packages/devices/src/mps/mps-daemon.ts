import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { VgpuError } from '@vgpu/core';

/** The folders of one device's MPS daemon. */
export interface MpsFolders {
  /** CUDA_MPS_PIPE_DIRECTORY, at the same path in workers. */
  readonly pipes: string;
  /** CUDA_MPS_LOG_DIRECTORY. */
  readonly log: string;
  /** What the daemon, its servers and their clients have as /dev/shm. */
  readonly shm: string;
}

/** @param dir the folder of the device's arbiter. Shared memory has to lie in memory: below /dev/shm. */
export function mpsFolders(dir: string): MpsFolders {
  const id = createHash('sha256').update(dir).digest('hex').slice(0, 12);
  return { pipes: join(dir, 'mps'), log: join(dir, 'mps-log'), shm: `/dev/shm/vgpu-mps-${id}` };
}

const environment = (folders: MpsFolders, uuid: string): NodeJS.ProcessEnv => ({
  ...process.env,
  CUDA_MPS_PIPE_DIRECTORY: folders.pipes,
  CUDA_MPS_LOG_DIRECTORY: folders.log,
  // by UUID: by index, clients would count among the devices that the server sees
  CUDA_VISIBLE_DEVICES: uuid,
});

/** One command to the daemon; its answer, or null where none runs. Throws nothing. */
export async function mpsCommand(
  control: string,
  folders: MpsFolders,
  command: string,
  timeoutMs = 5000,
): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(control, [], {
      env: environment(folders, ''),
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stdin.on('error', () => {}); // it ended before it read
    child.on('error', () => resolve(null));
    child.on('close', (code) => resolve(code === 0 ? out.trim() : null));
    child.stdin.end(`${command}\n`);
  });
}

const answers = async (control: string, folders: MpsFolders): Promise<boolean> =>
  existsSync(folders.pipes) && (await mpsCommand(control, folders, 'get_server_list')) !== null;

/** Processes that were started for these pipes: the daemon, and servers that outlived it. */
function processesOf(folders: MpsFolders): number[] {
  const mark = `CUDA_MPS_PIPE_DIRECTORY=${folders.pipes}`;
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      if (!readFileSync(`/proc/${name}/comm`, 'utf8').startsWith('nvidia-cuda-mps')) return [];
      return readFileSync(`/proc/${name}/environ`, 'utf8').split('\0').includes(mark) ? [Number(name)] : [];
    } catch {
      return []; // it ended meanwhile, or is none of ours
    }
  });
}

/**
 * Makes sure that the device's daemon runs: finds the one that outlived an earlier server, else starts one that
 * outlives this server. It has a /dev/shm of its own, which its clients share: not the host's. Clients of a server that
 * outlived its daemon keep it; new ones get a new server. The device's compute mode is left as it is.
 * @throws VgpuError `UNSUPPORTED` when it does not come up.
 */
export async function ensureMpsDaemon(control: string, dir: string, uuid: string): Promise<MpsFolders> {
  const folders = mpsFolders(dir);
  if (await answers(control, folders)) return folders;
  rmSync(folders.pipes, { recursive: true, force: true });
  for (const path of Object.values(folders)) mkdirSync(path, { recursive: true });
  chmodSync(folders.pipes, 0o755);
  chmodSync(folders.shm, 0o1777);
  const log = openSync(join(folders.log, 'start.log'), 'a');
  const script = 'mount --bind "$1" /dev/shm && exec "$2" -f';
  const args = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', folders.shm, control];
  const child = spawn('unshare', args, {
    env: environment(folders, uuid),
    detached: true,
    stdio: ['ignore', log, log],
    cwd: '/',
  });
  let problem: string | null = null;
  child.on('error', (error) => {
    problem = error.message;
  });
  child.on('exit', (code) => {
    const said = readFileSync(join(folders.log, 'start.log'), 'utf8').trim().split('\n').at(-1);
    problem ??= said || `it ended with exit code ${code}`;
  });
  child.unref();
  closeSync(log);
  for (let i = 0; i < 250 && problem === null; i++) {
    if (await answers(control, folders)) return folders;
    await sleep(20);
  }
  await stopMpsDaemon(control, dir);
  throw new VgpuError('UNSUPPORTED', {
    what: 'MPS',
    problem: `its daemon did not start: ${problem ?? 'it said nothing for 5 s'}`,
  });
}

/**
 * What each client that is yet to come may hold of the device at most, by the server: a client's own environment can
 * only make that less. Servers give it to every client alike, so it is the most that any slice may have.
 * @param bytes 0: no limit where none was set before.
 */
export async function limitMpsClients(control: string, folders: MpsFolders, bytes: number): Promise<void> {
  if (bytes === 0) return;
  const limit = `0 ${Math.ceil(bytes / 2 ** 20)}M`;
  await mpsCommand(control, folders, `set_default_device_pinned_mem_limit ${limit}`); // of servers yet to come
  const servers = (await mpsCommand(control, folders, 'get_server_list')) ?? '';
  for (const pid of servers.split('\n').filter(Boolean))
    await mpsCommand(control, folders, `set_device_pinned_mem_limit ${pid} ${limit}`);
}

/** Whether a device has, or had, a daemon of ours. */
export const hasMpsDaemon = (dir: string): boolean => existsSync(mpsFolders(dir).pipes);

/** Ends the device's daemon and its servers, and removes their folders. Safe to call twice. */
export async function stopMpsDaemon(control: string | null, dir: string): Promise<void> {
  const folders = mpsFolders(dir);
  if (control && existsSync(folders.pipes)) await mpsCommand(control, folders, 'quit');
  for (let i = 0; i < 100; i++) {
    const left = processesOf(folders);
    if (left.length === 0) break;
    for (const pid of left) {
      try {
        process.kill(pid, i < 25 ? 'SIGTERM' : 'SIGKILL');
      } catch {
        // it ended by itself
      }
    }
    await sleep(20);
  }
  for (const path of Object.values(folders)) rmSync(path, { recursive: true, force: true });
}
