import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { inject } from 'vitest';

interface Summary {
  Id: string;
  Names?: string[];
  Labels?: Record<string, string>;
  State?: string;
}

/** Asks the engine itself, past vgpu. @param path such as `/containers/json?all=1`. */
export function askEngine<T>(path: string, method = 'GET', engine = inject('engine')): Promise<T> {
  return new Promise((resolve, reject) => {
    const socketPath = engine.replace(/^unix:\/\//, '');
    const call = request({ socketPath, path, method, headers: { host: 'engine' } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        if ((response.statusCode ?? 500) >= 400) reject(new Error(`${path}: ${response.statusCode} ${text}`));
        else resolve((text ? JSON.parse(text) : undefined) as T);
      });
    });
    call.on('error', reject);
    call.end();
  });
}

const managed = encodeURIComponent(JSON.stringify({ label: ['dev.vgpu.managed=true'] }));

/** Containers of one home (its folder), as the engine has them. */
export async function containersOf(home: string): Promise<Summary[]> {
  const id = readFileSync(join(home, 'driver', 'home-id'), 'utf8').trim();
  const all = await askEngine<Summary[]>(`/containers/json?all=1&filters=${managed}`);
  return all.filter((one) => one.Labels?.['dev.vgpu.home'] === id);
}

/** Those of them that carry a task. */
export async function workersOf(home: string): Promise<Summary[]> {
  return (await containersOf(home)).filter((one) => one.Labels?.['dev.vgpu.task']);
}
