import { availableParallelism, totalmem } from 'node:os';
import { parseBytes, parseMilli, VgpuError, vgpuHome } from '@vgpu/core';

export interface ServerConfig {
  /** Root of all state. */
  home: string;
  /** Address to listen on; default loopback. */
  host: string;
  /** TCP port; 0 takes a free one. */
  port: number;
  /** Names under which browsers may reach the server besides its own address (`VGPU_HOSTS`, comma-separated). */
  hosts: string[];
  /** PostgreSQL address; absent: SQLite in the home. */
  database: string | undefined;
  /** Engine socket or address; absent: found by the driver. */
  engine: string | undefined;
  /** Folder of the built dashboard; absent: none is served. */
  dashboard: string | undefined;
  /** CPU (thousandths of a core) and memory (bytes) that workers may use together. */
  cpuMilli: number;
  memoryBytes: number;
  /** Warm workers to keep ready, and the memory they may hold idle. */
  warm: { image: string; size: number; memoryBytes: number };
  /** How many running tasks may be stopped at once to make room for others; 0: none is. */
  preemption: number;
  version: string;
  logLevel: string;
  /** Checks every answer against its contract; tests do. */
  checkAnswers: boolean;
}

/** Left to the system: an eighth of the memory, at most 2 GiB. CPU is shared by weight, so none is kept back. */
export const defaultMemory = (total: number = totalmem()): number =>
  Math.floor(total - Math.min(total / 8, 2 * 2 ** 30));

function port(text: string | undefined): number {
  const number = Number(text ?? 8470);
  if (Number.isInteger(number) && number >= 0 && number < 65536) return number;
  throw new VgpuError('BAD_UNIT', { what: 'port (VGPU_PORT)', value: text ?? '', example: '8470' });
}

/** What idle warm workers may hold together by default: a twentieth of the machine, 512 MiB to 4 GiB. */
const warmMemory = (total: number = totalmem()): number =>
  Math.min(4 * 2 ** 30, Math.max(512 * 2 ** 20, total / 20));

/** Reads the configuration from the environment; every setting has a default. */
export function configFromEnv(env: NodeJS.ProcessEnv = process.env): ServerConfig {
  const cores = availableParallelism();
  const list = (text: string | undefined) => (text ?? '').split(',').filter(Boolean);
  return {
    home: vgpuHome(env, process.getuid?.()),
    host: env.VGPU_HOST ?? '127.0.0.1',
    port: port(env.VGPU_PORT),
    hosts: list(env.VGPU_HOSTS),
    database: env.VGPU_DATABASE || undefined,
    engine: env.VGPU_ENGINE || env.DOCKER_HOST || undefined,
    dashboard: env.VGPU_DASHBOARD || undefined,
    cpuMilli: env.VGPU_CPU ? parseMilli(env.VGPU_CPU, 'VGPU_CPU') : cores * 1000,
    memoryBytes: env.VGPU_MEMORY ? parseBytes(env.VGPU_MEMORY) : defaultMemory(),
    warm: {
      image: env.VGPU_WARM_IMAGE ?? 'sklearn',
      size: env.VGPU_WARM ? Number(env.VGPU_WARM) : Math.min(8, 2 * cores),
      memoryBytes: env.VGPU_WARM_MEMORY ? parseBytes(env.VGPU_WARM_MEMORY) : warmMemory(),
    },
    preemption: env.VGPU_PREEMPTION ? Number(env.VGPU_PREEMPTION) : 16,
    version: env.VGPU_VERSION ?? '0.1.0',
    logLevel: env.VGPU_LOG ?? 'info',
    checkAnswers: env.VGPU_CHECK_ANSWERS === '1',
  };
}
