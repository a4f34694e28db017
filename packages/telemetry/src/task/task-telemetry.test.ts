import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RingRecord } from '../ring/record.ts';
import type { LogLine, TelemetryEvent } from '../types.ts';
import { TaskTelemetry } from './task-telemetry.ts';

let clock = 1_000_000;
const out = (text: string, type: 'stdout' | 'stderr' = 'stdout'): RingRecord => ({
  type,
  time: clock++,
  data: Buffer.from(text),
});
const event = (value: unknown): RingRecord => ({
  type: 'event',
  time: clock++,
  data: Buffer.from(`${JSON.stringify(value)}\n`),
});
const control = (value: unknown): RingRecord => ({
  type: 'control',
  time: clock++,
  data: Buffer.from(JSON.stringify(value)),
});

/** Feeds records, ends, and returns all events and the lines that reached the log. */
function run(records: RingRecord[]): { task: TaskTelemetry; events: TelemetryEvent[]; lines: LogLine[] } {
  const lines: LogLine[] = [];
  const task = new TaskTelemetry({ log: { append: (more) => lines.push(...more) } });
  const events: TelemetryEvent[] = [];
  task.subscribe((more) => events.push(...more));
  for (const record of records) task.records([record]);
  task.end();
  return { task, events, lines };
}

test('a run from start to exit', () => {
  const { task, events, lines } = run([
    control({ event: 'started', pid: 17 }),
    out('Epoch 1/2 - loss: 0.5\n'),
    out('Epoch 2/2 - loss: 0.25\nMSE: 0.125\n'),
    control({ event: 'exit', code: 0, signal: null }),
  ]);
  expect(lines.map((line) => line.text)).toEqual([
    'Epoch 1/2 - loss: 0.5',
    'Epoch 2/2 - loss: 0.25',
    'MSE: 0.125',
  ]);
  expect(task.snapshot()).toMatchObject({
    lines: 3,
    lastLine: 'MSE: 0.125',
    progress: { current: 2, total: 2, unit: 'epoch' },
    metrics: { loss: { value: 0.25, step: 2, source: 'parsed' }, mse: { value: 0.125, source: 'parsed' } },
    exit: { code: 0, signal: null },
    ended: true,
  });
  expect(task.series('loss')).toMatchObject([
    { step: 1, value: 0.5 },
    { step: 2, value: 0.25 },
  ]);
  expect(events.map((one) => one.offset)).toEqual(events.map((_, i) => i));
  expect(events[0]).toMatchObject({ type: 'started', pid: 17 });
  expect(events.at(-1)).toMatchObject({ type: 'ended' });
  // What came before the exit stands before it.
  const types = events.map((one) => one.type);
  expect(types.indexOf('exit')).toBeGreaterThan(types.lastIndexOf('lines'));
});

test('explicit metrics win over parsed ones, before and after', () => {
  const { task } = run([
    out('step 1: accuracy=0.1\nstep 2: accuracy=0.2\n'),
    event({ type: 'metric', step: 1, metrics: { acc: 0.9 } }),
    out('step 3: accuracy=0.3\n'),
  ]);
  expect(task.snapshot().metrics.accuracy).toMatchObject({ value: 0.9, source: 'explicit' });
  expect(task.series('accuracy')).toMatchObject([{ step: 1, value: 0.9 }]);
});

test('explicit progress wins over bars', () => {
  const { task } = run([
    event({ type: 'progress', current: 3, total: 4 }),
    out('\r 10%|█         | 1/10 [00:00<00:03,  3.0it/s]', 'stderr'),
  ]);
  expect(task.snapshot().progress).toEqual({ current: 3, total: 4, fraction: 0.75 });
});

test('a report gives scores, table and confusion matrix', () => {
  const report = {
    type: 'report',
    task: 'classification',
    scores: { accuracy: 0.75, f1_macro: 0.7, bad: null },
    confusion: {
      labels: ['a', 'b\x1b[31m'],
      matrix: [
        [2, 0],
        [1, 1],
      ],
    },
    perClass: { a: { precision: 1, recall: 0.5, f1: 0.6, support: 2 }, b: { precision: 'x' } },
  };
  const { task, events } = run([event(report)]);
  expect(task.snapshot().report).toEqual({
    task: 'classification',
    scores: { accuracy: 0.75, f1_macro: 0.7 },
    confusion: {
      labels: ['a', 'b[31m'],
      matrix: [
        [2, 0],
        [1, 1],
      ],
    },
    perClass: { a: { precision: 1, recall: 0.5, f1: 0.6, support: 2 } },
  });
  expect(task.snapshot().metrics.accuracy).toMatchObject({ value: 0.75, source: 'explicit' });
  expect(events.some((one) => one.type === 'report')).toBe(true);
});

test('a bar is live, gives progress and a series, and ends as one line', () => {
  const bar = (i: number) => `\r${i * 25}%|██  | ${i}/4 [00:0${i}<00:03,  1.00it/s, loss=0.${9 - i}]`;
  const { task, events, lines } = run([1, 2, 3, 4].map((i) => out(bar(i), 'stderr')));
  expect(lines.map((line) => [line.kind, line.text])).toEqual([['progress', bar(4).slice(1)]]);
  expect(task.series('loss').map((point) => [point.step, point.value])).toEqual([
    [1, 0.8],
    [2, 0.7],
    [3, 0.6],
    [4, 0.5],
  ]);
  expect(task.snapshot().progress).toMatchObject({ current: 4, total: 4 });
  expect(task.snapshot().live).toEqual({ stdout: '', stderr: '' });
  expect(events.some((one) => one.type === 'live')).toBe(true);
});

test('of nested bars the outer one tells the progress', () => {
  const { task } = run([
    out(
      '\repochs:  50%|█  | 1/2 [00:02<00:02,  2.0s/it]\n\rsteps:  75%|█  | 3/4 [00:01<00:00,  9.0it/s]\x1b[A',
      'stderr',
    ),
  ]);
  expect(task.snapshot().progress).toMatchObject({ label: 'epochs', fraction: 0.5 });
});

test('a gap ends open lines, is told in the log and counted', () => {
  const { task, lines } = run([
    out('half a li'),
    { type: 'dropped', time: 1, records: 3, bytes: 1234 },
    out('rest\n'),
  ]);
  expect(lines.map((line) => [line.stream, line.text])).toEqual([
    ['stdout', 'half a li'],
    ['system', expect.stringContaining('1234 bytes')],
    ['stdout', 'rest'],
  ]);
  expect(lines.map((line) => line.seq)).toEqual([0, 1, 2]);
  expect(task.snapshot().dropped).toEqual({ records: 3, bytes: 1234 });
});

test('exceptions are kept without control characters', () => {
  const { task } = run([
    control({
      event: 'exception',
      type: 'ValueError',
      message: 'bad \x1b]0;x\x07value',
      traceback: 'a\n  b\n',
    }),
    control({ event: 'exit', code: 1, signal: null }),
  ]);
  expect(task.snapshot().exception).toEqual({
    type: 'ValueError',
    message: 'bad ]0;xvalue',
    traceback: 'a\n  b\n',
  });
});

test('a reader resumes at any offset and gets the same events', () => {
  const { task, events } = run([
    out('a\n'),
    out('b\n'),
    event({ type: 'metric', metrics: { x: 1 } }),
    out('c\n'),
  ]);
  for (let offset = 0; offset <= events.length; offset += 1)
    expect(task.since(offset)).toEqual({ events: events.slice(offset), next: events.length, missed: false });
  expect(task.since(1, 2)).toEqual({ events: events.slice(1, 3), next: 3, missed: false });
  expect(task.since(999).events).toEqual([]);
});

test('endless output keeps a bounded journal, and tells who comes too late', () => {
  const { task, lines } = run(
    Array.from({ length: 200 }, (_, i) => out(`${'y'.repeat(99)}${i}\n`.repeat(400))),
  );
  expect(lines).toHaveLength(80_000);
  const resumed = task.since(0, 1e9);
  expect(resumed.missed).toBe(true);
  expect(JSON.stringify(resumed.events).length).toBeLessThan(6e6);
  expect(resumed.next).toBe(task.snapshot().offset);
});

test('invented metric names are bounded', () => {
  const { task } = run(
    Array.from({ length: 3000 }, (_, i) => event({ type: 'metric', metrics: { [`m${i}`]: i } })),
  );
  expect(task.metricNames).toHaveLength(500);
});

test('forged records of any shape are ignored or taken as plain data', () => {
  const json = fc.oneof(
    fc.jsonValue(),
    fc.record({
      type: fc.constantFrom('metric', 'progress', 'report', 'x'),
      metrics: fc.jsonValue(),
      scores: fc.dictionary(fc.constantFrom('__proto__', 'constructor', 'a', '\x1b[31m'), fc.jsonValue()),
      step: fc.jsonValue(),
      current: fc.jsonValue(),
      total: fc.jsonValue(),
      task: fc.constantFrom('regression', 'classification', 3),
      confusion: fc.record({ labels: fc.jsonValue(), matrix: fc.jsonValue() }),
      perClass: fc.jsonValue(),
    }),
    fc.record({
      event: fc.constantFrom('started', 'exit', 'exception'),
      pid: fc.jsonValue(),
      code: fc.jsonValue(),
      type: fc.jsonValue(),
    }),
  );
  fc.assert(
    fc.property(fc.array(json, { maxLength: 5 }), fc.uint8Array({ maxLength: 50 }), (values, noise) => {
      const { task } = run([
        ...values.flatMap((value) => [event(value), control(value)]),
        { type: 'event', time: 1, data: Buffer.from(noise) },
        { type: 'control', time: 1, data: Buffer.from(noise) },
      ]);
      const { metrics, progress } = task.snapshot();
      for (const [name, metric] of Object.entries(metrics)) {
        expect(Number.isFinite(metric.value)).toBe(true);
        expect(name).toMatch(/^[\p{L}\p{N}_./@-]+$/u);
      }
      if (progress?.fraction !== undefined) expect(progress.fraction).toBeLessThanOrEqual(1);
    }),
    { numRuns: 500 },
  );
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test('live text and progress arrive without further output', async () => {
  const task = new TaskTelemetry();
  const seen: TelemetryEvent[] = [];
  const live = new Promise<void>((resolve) => {
    task.subscribe((events) => {
      seen.push(...events);
      if (seen.some((one) => one.type === 'live' && one.text.includes('2/4'))) resolve();
    });
  });
  task.records([
    { type: 'stderr', time: Date.now(), data: Buffer.from('\r 25%|█   | 1/4 [00:01<00:03,  1.00it/s]') },
  ]);
  task.records([
    { type: 'stderr', time: Date.now(), data: Buffer.from('\r 50%|██  | 2/4 [00:02<00:02,  1.00it/s]') },
  ]);
  await live;
  expect(task.snapshot().progress).toMatchObject({ current: 2 });
  task.end();
});
