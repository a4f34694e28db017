import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { inject } from 'vitest';

interface Summary {
  Id: string;
  Names?: string[];
  Labels?: Record<string, string>;
  State?: string;
}

/** The engine's whole answer as it is, past vgpu. @param path such as `/containers/json?all=1`. */
export function engineText(
  path: string,
  method = 'GET',
  engine = inject('engine'),
  headers: Record<string, string> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socketPath = engine.replace(/^unix:\/\//, '');
    const options = { socketPath, path, method, headers: { host: 'engine', ...headers } };
    const call = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        if ((response.statusCode ?? 500) >= 400) reject(new Error(`${path}: ${response.statusCode} ${text}`));
        else resolve(text);
      });
    });
    call.on('error', reject);
    call.end();
  });
}

/** Asks the engine itself, past vgpu. */
export async function askEngine<T>(path: string, method?: string, engine?: string): Promise<T> {
  const text = await engineText(path, method, engine);
  return (text ? JSON.parse(text) : undefined) as T;
}

const managed = encodeURIComponent(JSON.stringify({ label: ['dev.vgpu.managed=true'] }));

/** Under which name the things of a home appear in an engine and in memory. */
export const homeId = (home: string): string => readFileSync(join(home, 'driver/home-id'), 'utf8').trim();

/** Containers of one home (its folder): those of tasks, and idle ones. */
export async function containersOf(home: string, engine?: string): Promise<Summary[]> {
  const id = homeId(home);
  const all = await askEngine<Summary[]>(`/containers/json?all=1&filters=${managed}`, 'GET', engine);
  return all.filter((one) => one.Labels?.['dev.vgpu.home'] === id);
}

/** Those of them that have a task; a worker that was started ahead has no label of it, but a record in its folder. */
export async function workersOf(home: string, engine?: string): Promise<Summary[]> {
  return (await containersOf(home, engine)).filter(
    ({ Labels = {} }) =>
      Labels['dev.vgpu.task'] ||
      existsSync(join(home, 'workers', Labels['dev.vgpu.folder'] ?? '', 'task.json')),
  );
}

/** Folders of workers in memory that a home still holds, by their key. */
export function foldersInMemory(home: string): string[] {
  const root = join('/dev/shm', `vgpu-${homeId(home)}`);
  return existsSync(root) ? readdirSync(root) : [];
}
