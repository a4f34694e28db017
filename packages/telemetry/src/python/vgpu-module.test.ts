import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRing } from '../ring/create.ts';
import { RingPoller } from '../ring/poller.ts';
import { openRing } from '../ring/reader.ts';
import { TaskTelemetry } from '../task/task-telemetry.ts';
import type { LogLine } from '../types.ts';
import { examples, runtime, scientificPython } from './scientific-python.ts';

let folder: string;
let python = 'python3';
let missing: string | undefined;
const env = { ...process.env, PYTHONPATH: runtime, PYTHONDONTWRITEBYTECODE: '1', OMP_NUM_THREADS: '1' };
const here = (name: string): string => new URL(name, import.meta.url).pathname;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vgpu-python-'));
  const found = scientificPython();
  if ('python' in found) python = found.python;
  else missing = found.missing;
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a script as a worker would, through the real ring. */
async function inWorker(command: string[], extra: Record<string, string> = {}) {
  const path = join(folder, `ring-${Math.random().toString(36).slice(2)}`);
  createRing(path);
  const lines: LogLine[] = [];
  const task = new TaskTelemetry({ log: { append: (more) => lines.push(...more) } });
  const poller = new RingPoller();
  const ended = new Promise<void>((resolve, reject) => {
    const end = (error?: Error): void => {
      task.end(error);
      if (error) reject(error);
      else resolve();
    };
    poller.add(openRing(path), { records: task.records, end });
  });
  const child = spawn('python3', [here('into_ring.py'), path, ...command], {
    env: { ...env, ...extra },
    stdio: 'inherit',
  });
  child.on('error', (error) => task.end(error));
  await ended;
  return { task, lines, snapshot: task.snapshot() };
}

test('log and progress need neither NumPy nor vgpu around them', () => {
  const code = `
import sys, vgpu
vgpu.log(step=1, loss=0.5)
vgpu.progress(1, 2)
assert not vgpu.active()
assert 'numpy' not in sys.modules`;
  const run = spawnSync('python3', ['-c', code], { env, encoding: 'utf8' });
  expect(run.stderr).toBe('');
  expect(run.status).toBe(0);
});

test('a script whose VGPU_METRICS_FD is wrong, closed or a file is not disturbed', () => {
  const victim = join(folder, 'victim');
  const code = `
import os, vgpu
for value in ('99', 'x', '-1', ''):
    os.environ['VGPU_METRICS_FD'] = value
    vgpu.log(loss=1)
fd = os.open(${JSON.stringify(victim)}, os.O_WRONLY | os.O_CREAT)
os.environ['VGPU_METRICS_FD'] = str(fd)
vgpu.log(loss=1)
r, w = os.pipe()
os.environ['VGPU_METRICS_FD'] = str(w)
os.close(r)
vgpu.log(loss=1)
vgpu.log(loss=2)`;
  const run = spawnSync('python3', ['-c', code], { env, encoding: 'utf8' });
  expect(run.stderr).toBe('');
  expect(run.status).toBe(0);
  expect(readFileSync(victim, 'utf8')).toBe('');
});

test('what a script logs arrives, from its children too', async () => {
  const script = join(folder, 'log.py');
  writeFileSync(
    script,
    `
import os, vgpu
print('hello')
for i in range(3):
    vgpu.log(step=i, loss=1 / (i + 1), note='not a number', bad=float('nan'))
if os.fork() == 0:
    vgpu.log(child=7)
    os._exit(0)
os.wait()
vgpu.progress(3, 3)
`,
  );
  const { task, lines, snapshot } = await inWorker(['python3', script]);
  expect(lines.map((line) => line.text)).toEqual(['hello']);
  expect(task.series('loss').map((point) => [point.step, point.value])).toEqual([
    [0, 1],
    [1, 0.5],
    [2, 1 / 3],
  ]);
  expect(snapshot.metrics.child).toMatchObject({ value: 7, source: 'explicit' });
  expect(Object.keys(snapshot.metrics).sort()).toEqual(['child', 'loss']);
  expect(snapshot.progress).toEqual({ current: 3, total: 3, fraction: 1 });
  expect(snapshot.exit).toEqual({ code: 0, signal: null });
});

test('every score agrees with scikit-learn on hundreds of random predictions', (context) => {
  if (missing) context.skip(missing);
  const run = spawnSync(python, [here('against_sklearn.py')], { env, encoding: 'utf8' });
  expect(run.stderr).toBe('');
  const worst = JSON.parse(run.stdout) as Record<string, number>;
  expect(Object.keys(worst)).toHaveLength(17);
  for (const [name, difference] of Object.entries(worst))
    expect([name, difference < 1e-9]).toEqual([name, true]);
});

test('report: edges, and errors that say what was wrong', async (context) => {
  if (missing) context.skip(missing);
  const script = join(folder, 'report.py');
  writeFileSync(
    script,
    `
import json, numpy as np, pandas as pd, vgpu
out = {}
out['constant'] = vgpu.report([2.5, 2.5], [2.5, 2.5])
out['one row'] = vgpu.report([1.5], [2.5])
out['one class'] = vgpu.report([1, 1], [1, 1])
out['bool'] = vgpu.report([True, False], [True, True])
out['series'] = vgpu.report(pd.Series(['a', 'b'], index=[7, 9]), np.array(['a', 'a'], dtype=object))
out['column'] = vgpu.report([[0.5], [1.0]], [0.5, 2.0])
out['counts'] = vgpu.report(list(range(100)), list(range(1, 101)))
out['infinite'] = {k: str(v) for k, v in vgpu.report([1.5, 2.0], [np.inf, 2.0]).items()}
for bad in (([1, 2], [1]), ([], []), ([1], [1], None, 'ranking'), ([1, 2], [1, 2], [0.1])):
    try:
        vgpu.report(*bad)
    except ValueError as error:
        out.setdefault('errors', []).append(str(error))
print(json.dumps(out))
`,
  );
  const run = spawnSync(python, ['-W', 'ignore', script], { env, encoding: 'utf8' });
  expect(run.stderr).toBe('');
  const out = JSON.parse(run.stdout);
  expect(out.constant).toEqual({ mse: 0, rmse: 0, mae: 0, r2: 1 });
  expect(out['one row']).toEqual({ mse: 1, rmse: 1, mae: 1 });
  expect(out['one class']).toMatchObject({ accuracy: 1, f1: 1, recall: 1 });
  expect(out.bool).toMatchObject({ accuracy: 0.5, recall: 1, precision: 0.5 });
  expect(out.series).toMatchObject({ accuracy: 0.5, recall: 0 });
  expect(out.column).toMatchObject({ mae: 0.5 });
  expect(out.counts).toMatchObject({ mse: 1 });
  expect(out.errors).toEqual([
    'vgpu.report: y_true has 2 rows, y_pred 1',
    'vgpu.report: no rows',
    "vgpu.report: task must be 'classification' or 'regression', not 'ranking'",
    'vgpu.report: y_true has 2 rows, y_pred 2, y_proba 1',
  ]);
});

test('a large report (50 classes) arrives whole', async (context) => {
  if (missing) context.skip(missing);
  const script = join(folder, 'large.py');
  writeFileSync(
    script,
    `import vgpu\nn = [i % 50 for i in range(5000)]\nvgpu.report(n, n, task='classification')`,
  );
  const { snapshot } = await inWorker([python, script]);
  expect(snapshot.report!.confusion!.matrix).toHaveLength(50);
  expect(snapshot.report!.confusion!.matrix[3]![3]).toBe(100);
  expect(snapshot.metrics.accuracy!.value).toBe(1);
});

/** The data sets of scikit-learn as CSV files, all written by one Python. */
const csv = (name: 'iris' | 'diabetes'): string => join(folder, `${name}.csv`);
beforeAll(() => {
  if (missing) return;
  const code = `from sklearn import datasets
for load, path in ((datasets.load_iris, ${JSON.stringify(csv('iris'))}), (datasets.load_diabetes, ${JSON.stringify(csv('diabetes'))})):
    load(as_frame=True).frame.to_csv(path, index=False)`;
  const run = spawnSync(python, ['-c', code], { encoding: 'utf8' });
  expect(run.stderr).toBe('');
});

// Most of each is Python's imports, on one core: side by side they take every core there is.
describe.concurrent('the examples', () => {
  const output = (name: string): string => {
    const path = join(folder, `out-${name}`);
    mkdirSync(path, { recursive: true });
    return path;
  };

  test.for(['mlp', 'linear', 'forest'])(
    'examples/train.py learns a classification with %s',
    async (model, context) => {
      if (missing) context.skip(missing);
      const args = [csv('iris'), '--model', model, '--seconds', '0.5', '--epochs', '5'];
      const { task, lines, snapshot } = await inWorker([python, join(examples, 'train.py'), ...args], {
        VGPU_OUTPUT: output(model),
      });
      expect(snapshot.exit).toEqual({ code: 0, signal: null });
      expect(snapshot.progress).toMatchObject({ current: 5, total: 5, fraction: 1 });
      expect(snapshot.metrics.accuracy).toMatchObject({ source: 'explicit' });
      expect(snapshot.metrics.accuracy!.value).toBeGreaterThan(0.8);
      expect(task.series('val_loss').map((point) => point.step)).toEqual([1, 2, 3, 4, 5]);
      expect(lines[0]!.text).toBe("iris.csv: 150 rows, 4 columns, target 'target' (classification)");
      expect(readdirSync(output(model))).toEqual(expect.arrayContaining(['predictions.csv', 'model.pkl']));
    },
  );

  test('examples/train.py learns a regression, with target and data from the environment', async (context) => {
    if (missing) context.skip(missing);
    const extra = { VGPU_OUTPUT: output('regression'), VGPU_DATASET: csv('diabetes'), VGPU_TARGET: 'target' };
    const { snapshot } = await inWorker([python, join(examples, 'train.py'), '--seconds', '0.5'], extra);
    expect(snapshot.exit).toEqual({ code: 0, signal: null });
    expect(snapshot.report!.task).toBe('regression');
    expect(snapshot.metrics.r2!.value).toBeGreaterThan(0.2);
  });

  test('examples/plain_sklearn.py: progress and scores are read from its lines', async (context) => {
    if (missing) context.skip(missing);
    const script = join(examples, 'plain_sklearn.py');
    const iris = await inWorker([python, script, csv('iris')], { VGPU_TARGET: 'target' });
    expect(iris.snapshot.metrics.accuracy).toMatchObject({ source: 'parsed' });
    expect(iris.snapshot.metrics.accuracy!.value).toBeGreaterThan(0.8);
    expect(iris.snapshot.metrics.f1_macro!.value).toBeGreaterThan(0.8);
    expect(iris.task.series('train_loss').length).toBeGreaterThan(10);
    const diabetes = await inWorker([python, script, csv('diabetes')]);
    expect(diabetes.snapshot.metrics.r2!.value).toBeGreaterThan(0.1);
    expect(diabetes.snapshot.metrics.mse!.value).toBeGreaterThan(1000);
  });
});
