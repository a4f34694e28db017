import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { routes } from '@vgpu/api';
import { type ServerFile, VgpuError } from '@vgpu/core';
import { note } from '../output/print.ts';
import { stderrStyle as style } from '../output/style.ts';
import { version } from '../version.ts';
import { clientOf, localServer, localToken } from './connection.ts';
import { home } from './home.ts';
import { root } from './root.ts';
import { failureIn } from './server-failure.ts';

export interface ServerOptions {
  /** Address to listen on; 127.0.0.1 by default. */
  host?: string;
  /** Port; 8470 by default, 0 takes a free one. */
  port?: string;
}

/** Generous: a slow machine may take a minute; one that ended is noticed at once. */
const startLimitMs = 180_000;
export const serverLog = (): string => join(home(), 'server.log');

/** The program of the server: the bundle, or the sources where there is none. */
function serverProgram(): string {
  const bundle = join(root, 'dist/server.mjs');
  return existsSync(bundle) ? bundle : join(root, 'apps/server/src/main.ts');
}

/** Builds the dashboard's page where its sources are newer; without a page the server still serves the API. */
function buildPage(): void {
  const tool = join(root, 'tools/build.ts');
  if (!existsSync(tool)) return;
  if (!existsSync(join(root, 'apps/dashboard/dist/index.html')))
    note(style.dim('building the dashboard; once, some seconds'));
  const built = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', tool, '--page'], {
    encoding: 'utf8',
  });
  if (built.status !== 0) note(style.yellow(`the dashboard could not be built:\n${built.stderr}`));
}

/** Command line and environment of the server process. */
export function serverProcess(options: ServerOptions): { args: string[]; env: NodeJS.ProcessEnv } {
  const page = join(root, 'apps/dashboard/dist');
  buildPage();
  return {
    args: ['--disable-warning=ExperimentalWarning', serverProgram()],
    env: {
      ...process.env,
      VGPU_HOME: home(),
      VGPU_VERSION: version,
      VGPU_DASHBOARD: process.env.VGPU_DASHBOARD ?? (existsSync(join(page, 'index.html')) ? page : undefined),
      VGPU_HOST: options.host ?? process.env.VGPU_HOST,
      VGPU_PORT: options.port ?? process.env.VGPU_PORT,
    },
  };
}

async function isHealthy(server: ServerFile): Promise<boolean> {
  const client = clientOf({ url: server.url, token: localToken(), origin: 'local' });
  return client.call(routes.machine.health, {}).then(
    () => true,
    () => false,
  );
}

/** How long a server that runs may take to answer before it counts as stuck. */
const answerLimitMs = 15_000;

/**
 * The server of this machine, once it answers; undefined where none runs.
 * @throws VgpuError `CONFLICT` for one that runs and does not answer.
 */
export async function runningServer(): Promise<ServerFile | undefined> {
  for (const deadline = Date.now() + answerLimitMs; Date.now() < deadline; await sleep(100)) {
    const server = localServer();
    if (!server) return undefined;
    if (await isHealthy(server)) return server;
  }
  throw new VgpuError('CONFLICT', {
    problem: `a server runs (pid ${localServer()?.pid}) and does not answer`,
    advice: `Look at ${serverLog()}; \`vgpu down\` ends it.`,
  });
}

/**
 * Starts the server of this machine in the background and waits until it answers.
 * @throws VgpuError `SERVER_FAILED` in the server's own words, when it ends or stays silent for three minutes.
 */
export async function startServer(options: ServerOptions = {}): Promise<ServerFile> {
  mkdirSync(home(), { recursive: true, mode: 0o711 });
  const log = openSync(serverLog(), 'a', 0o600);
  const from = fstatSync(log).size;
  const { args, env } = serverProcess(options);
  const child = spawn(process.execPath, args, {
    cwd: '/',
    env,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let ended = false;
  child.once('exit', () => {
    ended = true;
  });
  child.unref();
  for (const deadline = Date.now() + startLimitMs; Date.now() < deadline; await sleep(25)) {
    const server = localServer();
    if (server && (server.pid === child.pid || ended) && (await isHealthy(server))) return server;
    if (ended) break;
  }
  if (!ended) {
    throw new VgpuError('SERVER_FAILED', {
      problem: `it runs (pid ${child.pid}) and has not answered for ${startLimitMs / 1000} s`,
      advice: `Look at ${serverLog()}; \`vgpu down\` ends it.`,
    });
  }
  const said = readFileSync(serverLog()).subarray(from).toString('utf8');
  throw new VgpuError('SERVER_FAILED', failureIn(said, serverLog()));
}

/** Asks the server of this machine to end, and waits for it. Returns whether one ran. */
export async function stopServer(graceMs = 30_000): Promise<ServerFile | undefined> {
  const server = localServer();
  if (!server) return undefined;
  process.kill(server.pid, 'SIGTERM');
  for (const deadline = Date.now() + graceMs; Date.now() < deadline; await sleep(50)) {
    if (!localServer()) return server;
  }
  throw new VgpuError('CONFLICT', {
    problem: `the server (pid ${server.pid}) has not ended within ${graceMs / 1000} s`,
    advice: `Look at ${serverLog()}; \`kill -9 ${server.pid}\` is safe, nothing acknowledged is lost.`,
  });
}
