import { afterAll, beforeAll, expect, test } from 'vitest';
import { workersOf } from './harness/engine-view.ts';
import { eventually } from './harness/eventually.ts';
import { TestServer } from './harness/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server?.close());

const sleeper = 'import time\nprint("begun", flush=True)\ntime.sleep(600)\n';

async function begin(name: string, flags: string[] = []): Promise<string> {
  const path = server.write(`${name}/${name}.py`, sleeper);
  const { json } = await server.vgpu(['run', path, '--name', name, ...flags, '--json']);
  return json.job;
}

test('stop ends a running job, retry runs it again, rm deletes it', async () => {
  const id = await begin('stopped');
  await eventually('it runs', async () => (await server.job(id)).tasks[0]?.state === 'RUNNING');
  expect((await server.vgpu(['rm', id])).code, 'a running job is not deleted').toBe(1);

  expect((await server.vgpu(['stop', id])).code).toBe(0);
  const stopped = await eventually('it is stopped', async () => {
    const job = await server.job(id);
    return job.state === 'CANCELLED' && job;
  });
  expect(stopped.tasks[0]?.reason?.code).toBe('STOPPED');
  await eventually('its worker is gone', async () => (await workersOf(server.home)).length === 0, 10_000);

  expect((await server.vgpu(['retry', id])).code).toBe(0);
  await eventually('it runs again', async () => (await server.job(id)).tasks[0]?.state === 'RUNNING');
  expect((await server.job(id)).tasks[0]?.attempts).toBe(2);

  expect((await server.vgpu(['rm', id, '--force'])).code).toBe(0);
  expect((await server.vgpu(['show', id])).code).toBe(1);
});

test('ps lists jobs, newest first, and filters them', async () => {
  const path = server.write('listed/listed.py', 'print(1)\n');
  await server.vgpu(['run', path, '--name', 'listed-a', '--wait']);
  await server.vgpu(['run', path, '--name', 'listed-b', '--wait']);
  const all = (await server.vgpu(['ps', '--search', 'listed', '--json'])).json;
  expect(all.map((job: { name: string }) => job.name)).toEqual(['listed-b', 'listed-a']);
  expect((await server.vgpu(['ps', '--state', 'failed', '--json'])).json).toEqual([]);
  expect((await server.vgpu(['ps'])).stdout).toContain('listed-b');
});

test('what does not fit waits in the queue and says why; a higher priority goes first', async () => {
  const { json: capacity } = await server.vgpu(['top', '--json']);
  const all = String(capacity.host.cpus);
  // Guaranteed: a higher priority does not stop it.
  const first = await begin('wide', ['--cpu', all, '--qos', 'guaranteed']);
  await eventually('the first runs', async () => (await server.job(first)).tasks[0]?.state === 'RUNNING');
  const low = await begin('low', ['--cpu', all]);
  const high = await begin('high', ['--cpu', all, '--priority', '10']);
  const queue = await eventually('both wait', async () => {
    const { json } = await server.vgpu(['queue', '--json']);
    return json.length === 2 && json;
  });
  expect(queue.map((entry: { jobName: string }) => entry.jobName)).toEqual(['high', 'low']);
  for (const entry of queue) expect(entry.why).toBeTruthy();
  await server.vgpu(['stop', first]);
  await eventually('the higher runs', async () => (await server.job(high)).tasks[0]?.state === 'RUNNING');
  expect((await server.job(low)).tasks[0]?.state).toBe('QUEUED');
  for (const id of [high, low]) await server.vgpu(['rm', id, '--force']);
});

test('what no machine here can ever run is refused at once', async () => {
  const path = server.write('huge/huge.py', 'print(1)\n');
  const done = await server.vgpu(['run', path, '--cpu', '4000', '--wait', '--json']);
  expect(done.code).toBe(1);
  const text = done.stderr + done.stdout;
  expect(text).toContain('UNSATISFIABLE');
});

test('down keeps everything, up finds it again', async () => {
  const path = server.write('kept/kept.py', 'print("kept line")\n');
  await server.vgpu(['run', path, '--name', 'kept', '--wait']);
  expect((await server.vgpu(['down'])).code).toBe(0);
  expect((await server.vgpu(['ps'])).code).toBe(3);
  await server.up();
  expect((await server.vgpu(['logs', 'kept'])).stdout.trim()).toBe('kept line');
  expect((await server.vgpu(['up', '--detach', '--json'])).json.started).toBe(false);
});

test('run starts a server where none is configured, and says so', async () => {
  await server.vgpu(['down']);
  const path = server.write('auto/auto.py', 'print("auto")\n');
  const done = await server.vgpu(['run', path, '--wait', '--json']);
  expect(done.code, done.stderr).toBe(0);
  expect(done.stderr).toContain('starting one');
});
