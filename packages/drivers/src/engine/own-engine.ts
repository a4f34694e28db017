import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineClient } from '../docker/client.ts';
import { EngineContainers } from '../docker/engine-containers.ts';
import { homeIdentity } from '../docker/host-settings.ts';
import { mountsUnder, unmount } from '../docker/tmpfs.ts';
import { DriverError } from '../errors.ts';
import { which } from './which.ts';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Everything of vgpu's own dockerd: apart from any other engine on the machine. */
export interface OwnEnginePaths {
  dir: string;
  data: string;
  /** Volatile state; short, because sockets below it may have no more than 107 characters. */
  exec: string;
  socket: string;
  pidfile: string;
  config: string;
  log: string;
  /** Control group that its containers' groups lie below, in each hierarchy; relative to the root. */
  cgroup: string;
}

export function ownEnginePaths(home: string): OwnEnginePaths {
  const dir = join(home, 'engine');
  const name = `vgpu-${homeIdentity(home)}`;
  const exec = join('/run', name);
  return {
    dir,
    data: join(dir, 'data'),
    exec,
    socket: join(exec, 'docker.sock'),
    pidfile: join(exec, 'docker.pid'),
    config: join(dir, 'daemon.json'),
    log: join(dir, 'dockerd.log'),
    cgroup: name,
  };
}

/** PID of our own dockerd if it runs: the pidfile's, proven by its command line. */
export function ownEnginePid(paths: OwnEnginePaths): number | undefined {
  return provenPid(paths.pidfile, paths.pidfile);
}

/** Whether this process can start an engine of its own that this home has had before. */
export function canReviveOwnEngine(home: string): boolean {
  return process.getuid?.() === 0 && existsSync(ownEnginePaths(home).data) && which('dockerd') !== undefined;
}

function provenPid(pidfile: string, argument: string): number | undefined {
  try {
    const pid = Number(readFileSync(pidfile, 'utf8').trim());
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(argument) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Command line of vgpu's dockerd. `live-restore`: workers outlive a dockerd that dies, and are found again. */
export function ownEngineArguments(
  paths: OwnEnginePaths,
  options: { iptables: boolean; crun?: string },
): string[] {
  return [
    '--data-root',
    paths.data,
    '--exec-root',
    paths.exec,
    '--pidfile',
    paths.pidfile,
    '--config-file',
    paths.config,
    '-H',
    `unix://${paths.socket}`,
    // No default bridge: it would collide with another engine's docker0, and workers have no network anyway.
    '--bridge',
    'none',
    '--live-restore',
    // Apart from another engine's containers, and gone with the engine. systemd would want a slice's name.
    ...(existsSync('/run/systemd/system') ? [] : ['--cgroup-parent', `/${paths.cgroup}`]),
    ...(options.iptables ? [] : ['--iptables=false']),
    ...(options.crun ? ['--add-runtime', `crun=${options.crun}`] : []),
  ];
}

/**
 * Starts vgpu's own dockerd, or finds it running. Needs root. Survives this process. Throws ENGINE_FAILED with the
 * log's last lines when it does not come up within a minute.
 */
export async function startOwnEngine(home: string): Promise<OwnEnginePaths> {
  const paths = ownEnginePaths(home);
  if (await answers(paths.socket)) return paths;
  const dockerd = which('dockerd');
  if (!dockerd) throw new DriverError('ENGINE_UNREACHABLE', 'dockerd is not installed', 'Run: vgpu setup');
  mkdirSync(paths.data, { recursive: true, mode: 0o710 });
  mkdirSync(paths.exec, { recursive: true, mode: 0o700 });
  writeFileSync(paths.config, '{}\n');
  await forgetDead(paths);
  let last = '';
  // A host without usable packet filtering still runs workers that have no network.
  for (const iptables of [true, false]) {
    const log = openSync(paths.log, 'a', 0o600);
    const from = existsSync(paths.log) ? readFileSync(paths.log).length : 0;
    const child = spawn(dockerd, ownEngineArguments(paths, { iptables, crun: which('crun') }), {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: '/',
    });
    let ended = false;
    child.on('exit', () => {
      ended = true;
    });
    child.on('error', () => {
      ended = true;
    });
    child.unref();
    const deadline = Date.now() + START_TIMEOUT_MS;
    // Ours may have ended because another process starts the same engine just now: then theirs is waited for.
    while ((!ended || ownEnginePid(paths) !== undefined) && Date.now() < deadline) {
      if (await answers(paths.socket)) return paths;
      await sleep(100);
    }
    last = readFileSync(paths.log).subarray(from).toString('utf8').trim().split('\n').slice(-8).join('\n');
    if (!/iptables|nf_tables|NAT|bridge/i.test(last)) break;
  }
  throw new DriverError('ENGINE_FAILED', `dockerd did not come up:\n${last}`, `The whole log: ${paths.log}`);
}

/**
 * Removes pidfiles whose process is gone, a zombie or another program by now: dockerd takes any process of that number
 * for its own and would wait for it in vain.
 */
async function forgetDead(paths: OwnEnginePaths): Promise<void> {
  if (ownEnginePid(paths) === undefined) await rm(paths.pidfile, { force: true });
  if (containerdPid(paths) === undefined)
    await rm(join(paths.exec, 'containerd/containerd.pid'), { force: true });
}

function containerdPid(paths: OwnEnginePaths): number | undefined {
  return provenPid(join(paths.exec, 'containerd/containerd.pid'), join(paths.exec, 'containerd'));
}

/** Everything that runs for our own engine, its containers' shims included. */
function processesOf(paths: OwnEnginePaths): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${paths.exec}/`);
      } catch {
        return false;
      }
    })
    .map(Number);
}

async function answers(socket: string): Promise<boolean> {
  if (!existsSync(socket)) return false;
  const client = new EngineClient(socket);
  try {
    await client.version();
    return true;
  } catch {
    return false;
  } finally {
    await client.close();
  }
}

/** Ends vgpu's own dockerd with its workers; any other engine is left alone. False when nothing of it was running. */
export async function stopEngine(options: { home: string }): Promise<boolean> {
  const paths = ownEnginePaths(options.home);
  if (processesOf(paths).length === 0) return false;
  // A dockerd that died left its workers running: it takes one to end them in order.
  if (ownEnginePid(paths) === undefined) await startOwnEngine(options.home).catch(() => {});
  const client = new EngineClient(paths.socket);
  try {
    // Live restore would let them run on without anyone to watch them.
    const containers = new EngineContainers(client);
    const running = await client.json<{ Id: string }[]>('GET', '/containers/json', { query: { all: true } });
    await Promise.all(running.map((c) => containers.remove(c.Id)));
  } catch {
    // An engine that no longer answers is ended all the same.
  } finally {
    await client.close();
  }
  for (const pid of [ownEnginePid(paths), containerdPid(paths), ...processesOf(paths)])
    if (pid) await end(pid);
  for (const point of [...mountsUnder(paths.exec), ...mountsUnder(paths.data)]) {
    await unmount(point);
  }
  await rm(paths.exec, { recursive: true, force: true }).catch(() => {});
  removeCgroups(paths);
  return true;
}

/** Removes the engine's own control groups, in every hierarchy; one with a process left in it stays. */
function removeCgroups(paths: OwnEnginePaths): void {
  const root = '/sys/fs/cgroup';
  const folders = existsSync(root) ? readdirSync(root).map((name) => join(root, name, paths.cgroup)) : [];
  for (const folder of [join(root, paths.cgroup), ...folders]) {
    try {
      rmdirSync(folder);
    } catch {
      // No such group in this hierarchy, or in use.
    }
  }
}

async function end(pid: number): Promise<void> {
  const alive = () => {
    try {
      process.kill(pid, 0);
      return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
      return false;
    }
  };
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!alive()) return;
    process.kill(pid, signal);
    for (let waited = 0; waited < STOP_TIMEOUT_MS && alive(); waited += 50) await sleep(50);
  }
}
