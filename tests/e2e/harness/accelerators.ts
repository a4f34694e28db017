import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type Accelerator, type Job, routes } from '@vgpu/api';
import { eventually } from './eventually.ts';
import { root } from './run-cli.ts';
import type { TestServer } from './test-server.ts';

/** Builds the limiter, its arbiter and the fake driver; once at a time, since two files may ask for it at once. */
export function buildNative(): void {
  const native = join(root, 'native');
  const done = spawnSync('flock', [native, 'make', '-s', '-C', native], { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`make -C native failed:\n${done.stderr}`);
}

/** Builds the worker image with OpenCL unless the engine has it. */
export async function ensureOpenclImage(server: TestServer): Promise<void> {
  const images = (await server.vgpu(['image', 'ls', '--json'])).json as { name: string }[];
  if (images.some((image) => image.name === 'opencl')) return;
  const done = await server.vgpu(['image', 'build', 'opencl']);
  if (done.code !== 0) throw new Error(`vgpu image build opencl:\n${done.stdout}\n${done.stderr}`);
}

export async function accelerators(server: TestServer): Promise<Accelerator[]> {
  return (await server.client.call(routes.accelerators.list, {})).items;
}

/** PoCL's device: the CPU. */
export async function cpuDevice(server: TestServer): Promise<Accelerator> {
  const found = (await accelerators(server)).find((one) => one.kind === 'cpu');
  if (!found) throw new Error('no OpenCL device: is pocl-opencl-icd installed?');
  return found;
}

/** Samples of one metric at /metrics, by label. */
export async function metric(
  server: TestServer,
  name: string,
): Promise<{ labels: Record<string, string>; value: number }[]> {
  const headers = { authorization: `Bearer ${server.token}` };
  const text = await (await fetch(`${server.file.url}/metrics`, { headers })).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`))
    .map((line) => ({
      labels: Object.fromEntries([...line.matchAll(/(\w+)="([^"]*)"/g)].map((m) => [m[1]!, m[2]!])),
      value: Number(line.slice(line.lastIndexOf(' '))),
    }));
}

/** Submits a job and gives its id. */
export async function submit(server: TestServer, script: string, flags: readonly string[]): Promise<string> {
  const done = await server.vgpu(['run', script, ...flags, '--json']);
  if (done.code !== 0) throw new Error(`vgpu run ended with ${done.code}: ${done.stderr}`);
  return done.json.job;
}

/** Waits until every task of the job has printed this, or one of them failed. */
export async function printed(server: TestServer, id: string, text: string): Promise<Job> {
  const look = async () => {
    const job = await server.job(id);
    if (job.tasks.some((task) => task.state === 'FAILED')) return job; // the caller's expectations say why
    const logs = await Promise.all(job.tasks.map((task) => log(server, task.id)));
    return logs.every((lines) => lines.includes(text)) && job;
  };
  return eventually(`every task of ${id} prints ${text}`, look, 150_000);
}

export async function log(server: TestServer, task: string): Promise<string> {
  const { items } = await server.client.call(routes.tasks.logs, { params: { task }, query: {} });
  return items.map((line) => line.text).join('\n');
}

/** What `gpu/exact.py` found out. */
export async function resultOf(server: TestServer, task: string): Promise<Record<string, unknown>> {
  const text = await log(server, task);
  const line = text.split('\n').find((one) => one.includes('RESULT {'));
  if (!line) throw new Error(`no result of ${task}:\n${text}\n${server.log()}`);
  return JSON.parse(line.slice(line.indexOf('{')));
}
