import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from '@vgpu/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { numbers } from './harness/datasets.ts';
import { askEngine, containersOf, foldersInMemory, workersOf } from './harness/engine-view.ts';
import { eventually } from './harness/eventually.ts';
import { freePort } from './harness/free-port.ts';
import { TestServer } from './harness/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  // the same port after each kill, so that a client that waits finds it again
  server = await TestServer.start({ VGPU_PORT: String(await freePort()) });
});
afterAll(() => server?.close());

/** Prints numbered lines for a while; what it prints shows whether anything was lost or done twice. */
const counter = (lines: number, pauseMs: number) => `
import sys, time
for i in range(${lines}):
    print('line', i, flush=True)
    time.sleep(${pauseMs / 1000})
print('accuracy: 0.5')
`;

/** What must hold after any crash, once everything has ended. */
async function checkInvariants(job: Job, lines: number): Promise<void> {
  for (const task of job.tasks) {
    expect(task.state, JSON.stringify(task.reason)).toBe('COMPLETED');
    const { stdout } = await server.vgpu(['logs', job.id, '--task', task.name, '--json']);
    const text = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).text as string);
    const last = text.slice(text.lastIndexOf('line 0'));
    const counted = last.filter((line) => line.startsWith('line '));
    expect(counted, 'the lines of the attempt that completed').toEqual(
      Array.from({ length: lines }, (_, i) => `line ${i}`),
    );
    expect(task.metrics.accuracy).toBe(0.5);
  }
  await eventually('no worker is left', async () => (await workersOf(server.home)).length === 0, 20_000);
}

async function submit(tasks: number, script: string, flags: string[] = []): Promise<string> {
  const path = server.write(`count-${Date.now()}/count.py`, script);
  const data = Array.from({ length: tasks }, (_, i) => [
    '--data',
    server.write(`d${i}.csv`, `x,y\n${i},1\n2,3\n`),
  ]);
  const done = await server.vgpu(['run', path, ...data.flat(), ...flags, '--json']);
  return done.json.job;
}

describe('kill -9 of the server at random moments', () => {
  const random = numbers(20_261_121);

  test.each(Array.from({ length: 4 }, (_, i) => [i, Math.round(200 + random() * 3000)]))(
    'round %i, after %i ms: nothing is lost, nothing runs twice, nothing leaks',
    async (_round, afterMs) => {
      const id = await submit(4, counter(20, 100), ['--cpu', '0.5', '--memory', '256MiB']);
      await sleep(afterMs);
      await server.kill();
      await sleep(300);
      await server.up();
      const job = await server.ended(id);
      // A worker outlives the server: it is adopted, not started again.
      await checkInvariants(job, 20);
      for (const task of job.tasks) expect(task.attempts).toBeLessThanOrEqual(2);
    },
  );

  test('what was acknowledged is there, however soon the server dies', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      ids.push(await submit(1, counter(3, 10)));
      await server.kill();
      await server.up();
    }
    for (const id of ids) await checkInvariants(await server.ended(id), 3);
  });

  test('a client that waits survives the restart', async () => {
    const id = await submit(2, counter(60, 100), ['--cpu', '0.5']);
    const waiting = server.vgpu(['wait', id, '--json']);
    await sleep(4000); // by then it waits, on a busy machine as well
    await server.kill();
    await sleep(500);
    await server.up();
    const done = await waiting;
    expect(done.code, done.stderr).toBe(0);
    expect(done.json.state).toBe('COMPLETED');
  });
});

describe('kill -9 of a worker', () => {
  // A warm worker was made before it had a job, so its labels do not name one: the task knows its container.
  const containerOf = (id: string): Promise<string> =>
    eventually('its worker runs', async () => {
      const [task] = (await server.job(id)).tasks;
      return (task?.state === 'RUNNING' && task.container) || undefined;
    });

  const killWorker = async (id: string) => {
    await askEngine(`/containers/${await containerOf(id)}/kill?signal=SIGKILL`, 'POST');
  };

  test('the task is FAILED and says so, and its neighbours complete', async () => {
    const neighbour = submit(1, counter(20, 100), ['--cpu', '0.5']);
    const id = await submit(1, counter(200, 100), ['--cpu', '0.5']);
    await eventually('it prints', async () => ((await server.job(id)).tasks[0]?.lines ?? 0) > 3);
    await killWorker(id);
    const job = await server.ended(id);
    expect(job.tasks[0]?.state).toBe('FAILED');
    expect(['KILLED', 'WORKER_LOST']).toContain(job.tasks[0]?.reason?.code);
    await checkInvariants(await server.ended(await neighbour), 20);
  });

  test('with a retry left it runs again, from its first line', async () => {
    const id = await submit(1, counter(20, 100), ['--retries', '1']);
    await eventually('it prints', async () => ((await server.job(id)).tasks[0]?.lines ?? 0) > 3);
    await killWorker(id);
    const job = await server.ended(id);
    expect(job.tasks[0]?.attempts).toBe(2);
    await checkInvariants(job, 20);
  });

  test('a container that somebody removed behind our back is noticed', async () => {
    const id = await submit(1, counter(300, 100));
    await askEngine(`/containers/${await containerOf(id)}?force=1`, 'DELETE');
    const job = await server.ended(id);
    expect(job.tasks[0]?.state).toBe('FAILED');
  });
});

test('after all that, only warm workers are left, and after down nothing is', async () => {
  expect(await workersOf(server.home)).toEqual([]);
  await server.vgpu(['down']);
  expect(await containersOf(server.home)).toEqual([]);
  expect(foldersInMemory(server.home)).toEqual([]);
  expect(() => readFileSync(`${server.home}/server.json`)).toThrow();
});
