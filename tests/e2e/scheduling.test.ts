import { routes } from '@vgpu/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { workersOf } from './harness/engine-view.ts';
import { eventually } from './harness/eventually.ts';
import { TestServer } from './harness/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  // Two cores to share out, whatever the machine has.
  server = await TestServer.start({ VGPU_CPU: '2', VGPU_WARM: '0' });
});
afterAll(() => server?.close());

/** Says when it begins, and ends after some seconds. */
const worker = (seconds: number) =>
  `import time\nprint("begun", flush=True)\ntime.sleep(${seconds})\nprint("done", flush=True)\n`;

async function submit(name: string, seconds: number, flags: string[]): Promise<string> {
  const path = server.write(`${name}/${name}.py`, worker(seconds));
  const flat = ['--name', name, '--memory', '128MiB', ...flags, '--json'];
  const { json } = await server.vgpu(['run', path, ...flat]);
  return json.job;
}

const stateOf = async (id: string) => (await server.job(id)).tasks[0]!;
const running = (id: string) =>
  eventually('it runs', async () => {
    const task = await stateOf(id);
    return task.state === 'RUNNING' && task.lastLine === 'begun' && task;
  });
const completed = (id: string) =>
  eventually('it completes', async () => (await stateOf(id)).state === 'COMPLETED' && stateOf(id), 120_000);

test('a high priority stops best-effort work of a full machine, which runs again later and pays no retry', async () => {
  const low = [
    await submit('low-a', 15, ['--qos', 'best-effort', '--priority', '-5']),
    await submit('low-b', 15, ['--qos', 'best-effort', '--priority', '-5']),
  ];
  for (const id of low) await running(id);
  const high = await submit('high', 1, ['--priority', '5']);
  await running(high);
  const tasks = await Promise.all(low.map(stateOf));
  const victims = tasks.filter((task) => task.state === 'QUEUED');
  expect(victims, 'exactly one made room').toHaveLength(1);
  expect(victims[0]).toMatchObject({
    attempts: 1,
    reason: { code: 'PREEMPTED', message: expect.stringContaining('priority 5 over -5') },
    waiting: { position: 1, code: 'cpu' },
  });
  expect(victims[0]!.waiting!.estimatedStart).toBeGreaterThan(Date.now() - 1000);
  expect((await workersOf(server.home)).length, 'never more workers than cores').toBeLessThanOrEqual(2);

  expect(await completed(high)).toMatchObject({ attempts: 1 });
  const ends = await Promise.all(low.map(completed));
  expect(ends.map((task) => task.attempts).sort()).toEqual([1, 2]);
  await eventually('nothing is left', async () => (await workersOf(server.home)).length === 0, 10_000);
});

test('guaranteed work is not stopped, and an equal priority stops nobody', async () => {
  const kept = await submit('kept', 600, ['--qos', 'guaranteed', '--cpu', '1']);
  const equal = await submit('equal', 600, ['--cpu', '1']);
  for (const id of [kept, equal]) await running(id);
  const same = await submit('same', 1, ['--cpu', '1']);
  const wide = await submit('wide', 1, ['--cpu', '2', '--priority', '9']);
  const waiting = await eventually('both wait', async () => {
    const { json } = await server.vgpu(['queue', '--json']);
    return json.length === 2 && json;
  });
  expect(waiting.map((one: { jobName: string }) => one.jobName)).toEqual(['wide', 'same']);
  expect((await stateOf(kept)).state).toBe('RUNNING');
  expect((await stateOf(equal)).state).toBe('RUNNING');
  for (const id of [wide, same, equal, kept]) await server.vgpu(['rm', id, '--force']);
});

test('a server that is killed while room is made loses nothing and starts nobody twice', async () => {
  const low = await submit('low', 8, ['--cpu', '2', '--qos', 'best-effort']);
  await running(low);
  const high = await submit('urgent', 2, ['--cpu', '2', '--priority', '5']);
  await eventually('room is made', async () => {
    const task = await stateOf(high);
    return task.waiting?.code === 'preempting' || task.state !== 'QUEUED';
  });
  await server.kill();
  await server.up();
  const [urgent, again] = [await completed(high), await completed(low)];
  expect(urgent.attempts).toBeLessThanOrEqual(2);
  expect(again.attempts).toBeGreaterThanOrEqual(2);
  await eventually('nothing is left', async () => (await workersOf(server.home)).length === 0, 10_000);
});

test('a project waits at its limit while others pass, and is refused what it can never have', async () => {
  expect((await server.vgpu(['project', 'set', 'lab', '--limit-cpu', '1', '--json'])).json).toMatchObject({
    limit: { cpu: 1000 },
  });
  const made = await server.client.call(routes.access.createToken, { body: { name: 'lab', project: 'lab' } });
  const path = server.write('limited/limited.py', worker(600));
  const asLab = (args: string[]) =>
    server.vgpu(args, { env: { VGPU_SERVER: server.file.url, VGPU_TOKEN: made.secret } });
  const flags = ['--memory', '128MiB', '--json'];
  const first = (await asLab(['run', path, ...flags])).json.job;
  await eventually(
    'the first runs',
    async () => (await asLab(['show', first, '--json'])).json.state === 'RUNNING',
  );
  const second = (await asLab(['run', path, ...flags])).json.job;
  const other = await submit('other', 1, []);
  await completed(other);
  const task = (await asLab(['show', second, '--json'])).json.tasks[0];
  expect(task).toMatchObject({ state: 'QUEUED', waiting: { code: 'limit' } });
  expect(task.waiting.message).toContain('lab');
  const refused = await asLab(['run', path, '--cpu', '2', '--json']);
  expect(refused.code).toBe(1);
  expect(refused.stderr + refused.stdout).toContain('QUOTA_EXCEEDED');
  const { json: projects } = await server.vgpu(['project', 'ls', '--json']);
  const lab = projects.find((one: { name: string }) => one.name === 'lab');
  expect(lab).toMatchObject({ running: 1, waiting: 1, used: { cpu: 1000 } });
  for (const id of [second, first]) await asLab(['rm', id, '--force']);
});
