import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VgpuClient } from '@vgpu/api';
import { type ServerFile, VgpuError } from '@vgpu/core';
import { home } from './home.ts';

/** Where an address came from, the first that there is: environment, `vgpu login`, the server of this machine. */
export type Origin = 'environment' | 'login' | 'local';

export interface Connection {
  url: string;
  token: string | undefined;
  origin: Origin;
}

export interface Login {
  url: string;
  token?: string;
}

export const defaultUrl = 'http://127.0.0.1:8470';
export const loginPath = (): string => join(home(), 'login.json');

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function readJson<T>(path: string): T | undefined {
  const text = readText(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}

/**
 * Whether a process is a server of ours that runs: not one that was killed and waits to be reaped, and not a stranger
 * that got the id of a server long gone.
 */
export function isServer(pid: number): boolean {
  try {
    const state = /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
    if (state === 'Z' || state === 'X') return false;
    return /server\.mjs|apps\/server/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  } catch {
    return false;
  }
}

/** What the server of this machine says about itself, if it runs. */
export function localServer(): ServerFile | undefined {
  const file = readJson<ServerFile>(join(home(), 'server.json'));
  return file && isServer(file.pid) ? file : undefined;
}

export const localToken = (): string | undefined => readText(join(home(), 'token'))?.trim();

/** The server that commands talk to, or undefined where none is known. */
export function findConnection(): Connection | undefined {
  const { VGPU_SERVER } = process.env;
  const VGPU_TOKEN = process.env.VGPU_TOKEN || undefined;
  if (VGPU_SERVER) return { url: VGPU_SERVER, token: VGPU_TOKEN, origin: 'environment' };
  const login = readJson<Login>(loginPath());
  if (login?.url) return { url: login.url, token: VGPU_TOKEN ?? login.token, origin: 'login' };
  const server = localServer();
  if (server) return { url: server.url, token: VGPU_TOKEN ?? localToken(), origin: 'local' };
  return undefined;
}

export function clientOf(connection: Connection): VgpuClient {
  return new VgpuClient({ url: connection.url, token: connection.token });
}

export interface Session {
  client: VgpuClient;
  connection: Connection;
}

/**
 * The client that commands use.
 * @throws VgpuError `SERVER_UNREACHABLE` where no server is known.
 */
export function connect(): Session {
  const connection = findConnection();
  if (!connection) throw new VgpuError('SERVER_UNREACHABLE', { url: defaultUrl });
  return { client: clientOf(connection), connection };
}

/** Address of a page of the dashboard. */
export const pageOf = (connection: Connection, path = ''): string =>
  `${connection.url.replace(/\/+$/, '')}/${path}`;
