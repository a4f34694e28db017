import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from '@vgpu/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { numbers } from './harness/datasets.ts';
import { containersOf, foldersInMemory, homeId, workersOf } from './harness/engine-view.ts';
import { eventually } from './harness/eventually.ts';
import { freePort } from './harness/free-port.ts';
import { canOwnEngine, OwnEngine } from './harness/own-engine.ts';
import { TestServer } from './harness/test-server.ts';

if (!canOwnEngine)
  console.warn("skipped: kill -9 of vgpu's own engine (it takes root and an installed dockerd)");

const LINES = 15;
const TASKS = 3;
const counter = `
import time
for i in range(${LINES}):
    print('line', i, flush=True)
    time.sleep(0.1)
print('accuracy: 0.5')
`;

type Victim = 'dockerd' | 'containerd' | 'server';
/** Another seed hits other moments. */
const random = numbers(Number(process.env.VGPU_TEST_SEED ?? 20_261_122));
// containerd before dockerd: the kernel ends it with its parent.
const rounds: [victims: Victim[], afterMs: number][] = (
  [
    ['dockerd'],
    ['containerd'],
    ['containerd', 'dockerd'],
    ['dockerd', 'server'],
    ['server', 'containerd', 'dockerd'],
  ] satisfies Victim[][]
).map((victims) => [victims, Math.round(random() * 2000)]);

describe.skipIf(!canOwnEngine)("kill -9 of vgpu's own engine in mid-task", () => {
  let server: TestServer;
  let engine: OwnEngine;

  beforeAll(async () => {
    // Named by nobody: the server finds the engine of its home, and starts it again when it dies.
    server = new TestServer({
      VGPU_ENGINE: '',
      DOCKER_HOST: '',
      VGPU_PORT: String(await freePort()),
      VGPU_WARM: '1',
    });
    engine = await OwnEngine.start(server.home);
    await server.up();
    const built = await server.vgpu(['image', 'build']);
    expect(built.code, built.stderr).toBe(0);
  });
  afterAll(async () => {
    await server?.vgpu(['down']);
    await engine?.close();
    await server?.close();
  });

  async function submit(): Promise<string> {
    const path = server.write('count/count.py', counter);
    const data = Array.from({ length: TASKS }, (_, i) => [
      '--data',
      server.write(`d${i}.csv`, `x,y\n${i},1\n2,3\n`),
    ]);
    const flags = ['--cpu', '0.5', '--memory', '256MiB', '--json'];
    const done = await server.vgpu(['run', path, ...data.flat(), ...flags]);
    expect(done.code, done.stderr).toBe(0);
    return done.json.job;
  }

  /** What the store says of a task: how often it completed, and when each of its attempts ran. */
  function history(task: string): { completions: number; attempts: { from: number; to: number }[] } {
    const database = new DatabaseSync(join(server.home, 'state.db'), { readOnly: true });
    const events = "SELECT count(*) AS n FROM events WHERE task = ? AND to_state = 'COMPLETED'";
    const { n } = database.prepare(events).get(task) as { n: number };
    const spans =
      'SELECT created_at AS "from", ended_at AS "to" FROM attempts WHERE task = ? ORDER BY created_at';
    const attempts = database.prepare(spans).all(task) as { from: number; to: number }[];
    database.close();
    return { completions: n, attempts };
  }

  async function nothingLostOrDoubled(job: Job): Promise<void> {
    for (const task of job.tasks) {
      expect(task.state, `${JSON.stringify(task.reason)}\n${server.log()}`).toBe('COMPLETED');
      expect(task.metrics.accuracy).toBe(0.5);
      const { stdout } = await server.vgpu(['logs', job.id, '--task', task.name, '--json']);
      const text = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).text as string);
      const last = text.slice(text.lastIndexOf('line 0')).filter((line) => line.startsWith('line '));
      expect(last, 'the lines of the attempt that completed').toEqual(
        Array.from({ length: LINES }, (_, i) => `line ${i}`),
      );
      const { completions, attempts } = history(task.id);
      expect(completions).toBe(1);
      for (const [i, { from }] of attempts.entries())
        if (i > 0) expect(from, 'no two attempts at once').toBeGreaterThanOrEqual(attempts[i - 1]!.to);
    }
  }

  /** Everything that is left belongs to an idle worker. */
  async function nothingLeaked(): Promise<void> {
    await eventually(
      'only what idle workers hold is left',
      async () => {
        expect(await workersOf(server.home, engine.socket)).toEqual([]);
        const idle = (await containersOf(server.home, engine.socket)).map(
          (one) => one.Labels!['dev.vgpu.folder']!,
        );
        expect(idle.length).toBeLessThanOrEqual(1);
        for (const key of [...foldersInMemory(server.home), ...readdirSync(join(server.home, 'workers'))])
          expect(idle).toContain(key);
        return true;
      },
      30_000,
    );
  }

  test.each(rounds)('%j after %i ms: nothing is lost, doubled or leaked', async (victims, afterMs) => {
    const id = await submit();
    await sleep(afterMs);
    for (const victim of victims) await (victim === 'server' ? server.kill() : engine.kill(victim));
    if (victims.includes('server')) await server.up();
    const job = await server.ended(id);
    await nothingLostOrDoubled(job);
    await nothingLeaked();
  });

  test('after down nothing is left, and the engine runs on until it is told otherwise', async () => {
    await server.vgpu(['down']);
    expect(await containersOf(server.home, engine.socket)).toEqual([]);
    expect(foldersInMemory(server.home)).toEqual([]);
    const id = homeId(server.home);
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(`/dev/shm/vgpu-${id}/`);
    expect((await server.vgpu(['down', '--engine'])).code).toBe(0);
    expect(engine.processes()).toEqual([]);
    expect(existsSync(engine.socket)).toBe(false);
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(server.home);
  });
});
