import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { classification, regression } from './harness/datasets.ts';
import { workersOf } from './harness/engine-view.ts';
import { eventually } from './harness/eventually.ts';
import { TestServer } from './harness/test-server.ts';

const script = `
import os, sys
import pandas as pd
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import train_test_split
import vgpu

table = pd.read_csv(sys.argv[1])
assert sys.argv[1] == os.environ['VGPU_DATASET']
target = os.environ['VGPU_TARGET']
X, y = table.drop(columns=[target]), table[target]
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
model = LinearRegression() if y.dtype.kind == 'f' else LogisticRegression()
for epoch in range(3):
    model.fit(X_train, y_train)
    print(f'epoch {epoch + 1}/3', flush=True)
vgpu.report(y_test, model.predict(X_test))
with open(os.path.join(os.environ['VGPU_OUTPUT'], 'rows.txt'), 'w') as out:
    out.write(str(len(table)))
print('done', len(table))
`;

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server?.close());

describe('one script over four datasets', () => {
  // biome-ignore lint/suspicious/noExplicitAny: what programs read
  let shown: any;
  let id: string;

  beforeAll(async () => {
    const path = server.write('job/train.py', script);
    server.write('job/helper.py', 'x = 1\n');
    for (const [i, rows] of [200, 300].entries()) {
      server.write(`class-${i}.csv`, classification(rows, i + 1));
      server.write(`number-${i}.csv`, regression(rows, i + 1));
    }
    const spec = `
name: four
script: ${path}
data:
  - {path: class-0.csv, target: label}
  - {path: class-1.csv, target: label}
  - {path: number-0.csv, target: y}
  - {path: number-1.csv, target: y}
`;
    const submitted = await server.vgpu(['apply', server.write('four.yaml', spec), '--json']);
    expect(submitted.stderr).not.toContain('error');
    id = submitted.json.job;
    expect(submitted.code).toBe(0);
    const waited = await server.vgpu(['wait', id]);
    expect(waited.code, waited.stdout + waited.stderr).toBe(0);
    shown = (await server.vgpu(['show', id, '--json'])).json;
  });

  test('every task completes in a worker of its own, named in sequence', () => {
    expect(shown.state).toBe('COMPLETED');
    expect(shown.tasks.map((task: { state: string }) => task.state)).toEqual(Array(4).fill('COMPLETED'));
    const workers = shown.tasks.map((task: { worker: string }) => task.worker).sort();
    expect(workers).toEqual(['vgpu-worker-01', 'vgpu-worker-02', 'vgpu-worker-03', 'vgpu-worker-04']);
  });

  test('scores are those of the models', () => {
    for (const task of shown.tasks) {
      expect(task.exitCode).toBe(0);
      expect(task.attempts).toBe(1);
      expect(task.reason).toBeNull();
      if (task.dataset.startsWith('class')) {
        expect(task.metrics.accuracy).toBeGreaterThan(0.85);
        expect(task.metrics.f1).toBeGreaterThan(0.8);
        expect(task.confusion.labels).toEqual(['no', 'yes']);
      } else {
        expect(task.metrics.mse).toBeGreaterThanOrEqual(0);
        expect(task.metrics.mse).toBeLessThan(0.01);
        expect(task.metrics.r2).toBeGreaterThan(0.95);
      }
    }
  });

  test('timings are there, in milliseconds', () => {
    for (const { timings } of shown.tasks) {
      for (const name of ['queued', 'start', 'run', 'teardown']) {
        expect(timings[name], name).toBeTypeOf('number');
        expect(timings[name]).toBeGreaterThanOrEqual(0);
        expect(timings[name]).toBeLessThan(240_000);
      }
    }
  });

  test('logs hold every line of every task', async () => {
    const logs = await server.vgpu(['logs', id]);
    expect(logs.code).toBe(0);
    expect(logs.stdout.match(/epoch 3\/3/g)).toHaveLength(4);
    expect(logs.stdout.match(/done [23]00/g)).toHaveLength(4);
    const lines = (await server.vgpu(['logs', id, '--json'])).stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    for (const task of shown.tasks) {
      const own = lines.filter((line) => line.task === task.name);
      expect(own.map((line) => line.seq)).toEqual(own.map((_, i) => i));
    }
  });

  test('files are listed and saved', async () => {
    const folder = join(server.work, 'saved');
    const saved = await server.vgpu(['files', id, '--save', folder, '--json']);
    expect(saved.json.items).toHaveLength(4);
    for (const item of saved.json.items) expect(['200', '300']).toContain(readFileSync(item.saved, 'utf8'));
  });

  test('the table of scores is exported', async () => {
    const csv = (await server.vgpu(['export', id, '--format', 'csv'])).stdout.trim().split('\n');
    expect(csv).toHaveLength(5);
    expect(csv[0]).toContain('accuracy');
    const json = (await server.vgpu(['export', id, '--format', 'json'])).json;
    expect(JSON.stringify(json)).toContain('mse');
    const markdown = (await server.vgpu(['export', id, '--format', 'markdown'])).stdout;
    expect(markdown).toMatch(/\| *-+/);
    const compared = (await server.vgpu(['metrics', id, '--json'])).json;
    expect(compared.rows).toHaveLength(4);
  });

  test('nothing of it is left in the engine', async () => {
    await eventually('the workers are gone', async () => (await workersOf(server.home)).length === 0, 10_000);
  });

  test('a job is found by id, start of id, name and latest', async () => {
    for (const reference of [id, id.slice(0, -3), 'four', 'latest']) {
      expect((await server.vgpu(['show', reference, '--json'])).json.job).toBe(id);
    }
    const missing = await server.vgpu(['show', 'nothing-of-this-name']);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain('nothing-of-this-name');
  });
});

test('the same file imported again is the same version, at once', async () => {
  const path = server.write('again.csv', classification(100, 5));
  const first = (await server.vgpu(['data', 'add', path, '--name', 'again', '--target', 'label', '--json']))
    .json;
  const second = (await server.vgpu(['data', 'add', path, '--name', 'again', '--target', 'label', '--json']))
    .json;
  expect(first.existed).toBe(false);
  expect(second.existed).toBe(true);
  expect(second.version).toBe(first.version);
});

test('an idempotency key submits once', async () => {
  const path = server.write('once/once.py', 'print("once")\n');
  const args = ['run', path, '--idempotency-key', 'key-1', '--json'];
  const [first, second] = await Promise.all([server.vgpu(args), server.vgpu(args)]);
  expect(first.json.job).toBe(second.json.job);
  const other = await server.vgpu(['run', path, '--idempotency-key', 'key-1', '--name', 'other', '--json']);
  expect(other.code).toBe(1);
  expect(JSON.parse(other.stderr.trim().split('\n').at(-1)!).error.code).toBe('IDEMPOTENCY_MISMATCH');
});

test('--follow prints every line behind its worker, and ends with the scores', async () => {
  const path = server.write('follow/follow.py', 'print("accuracy: 0.75")\n');
  const data = server.write('follow.csv', classification(50));
  const followed = await server.vgpu(['run', path, '--data', data, '--follow']);
  expect(followed.code).toBe(0);
  expect(followed.stdout).toMatch(/vgpu-worker-01 \| accuracy: 0\.75/);
  expect(followed.stdout).toMatch(/COMPLETED/);
});

test('Ctrl-C while following leaves the job running', async () => {
  const path = server.write('slow/slow.py', 'import time\nprint("begun", flush=True)\ntime.sleep(600)\n');
  const followed = await server.vgpu(['run', path, '--name', 'slow', '--follow'], { interruptAfterMs: 6000 });
  expect(followed.code).toBe(130);
  expect(followed.stderr).toContain('goes on');
  const shown = (await server.vgpu(['show', 'slow', '--json'])).json;
  expect(['QUEUED', 'RUNNING']).toContain(shown.state);
  expect((await server.vgpu(['rm', 'slow', '--force'])).code).toBe(0);
});
