import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyPlan, makeView } from '../change.ts';
import type { Pending } from '../pending.ts';
import { plan } from '../schedule.ts';
import type { NodeView, RunningTask } from '../view.ts';
import { Forecast } from './forecast.ts';

const CPUS = 4;

const node = (id: string, freeCpu: number): NodeView => ({
  id,
  cpuMilli: CPUS * 1000,
  freeCpuMilli: freeCpu * 1000,
  memoryBytes: 2 ** 40,
  freeMemoryBytes: 2 ** 40,
  accelerators: [],
});

const waits = (id: string, cpu: number, runMs?: number): Pending => ({
  taskId: id,
  jobId: 'job',
  project: 'p',
  submittedAt: 0,
  cpuMilli: cpu * 1000,
  memoryBytes: 1,
  gpuCount: 0,
  gpuMilli: 0,
  ...(runMs === undefined ? {} : { expectedDurationMs: runMs }),
});

const runs = (id: string, cpu: number, end?: number): RunningTask => ({
  taskId: id,
  jobId: 'job',
  project: 'p',
  priority: 0,
  qos: 'burstable',
  node: 'n0',
  cpuMilli: cpu * 1000,
  memoryBytes: 0,
  accelerators: [],
  startedAt: 0,
  ...(end === undefined ? {} : { expectedEndAt: end }),
});

/** A forecast over one node that is full of these. */
function over(running: readonly RunningTask[], now = 0): Forecast {
  const held = running.reduce((sum, task) => sum + task.cpuMilli, 0) / 1000;
  return new Forecast([node('n0', CPUS - held)], () => running, { now, recut: false });
}

describe('a forecast', () => {
  it('lets equal tasks start one after the other as room comes', () => {
    const forecast = over([runs('a', 2, 1000), runs('b', 2, 1200)]);
    const starts = Array.from({ length: 5 }, (_, i) => forecast.start([waits(`w${i}`, 2, 500)]));
    expect(starts).toEqual([1000, 1200, 1500, 1700, 2000]);
  });

  it('fills a gap only where nobody before is delayed', () => {
    const forecast = over([runs('a', 3, 1000)]);
    expect(forecast.start([waits('wide', 4, 500)])).toBe(1000);
    expect(forecast.start([waits('short', 1, 1000)])).toBe(0);
    expect(forecast.start([waits('long', 1, 1001)])).toBe(1500);
    expect(forecast.start([waits('next', 1, 1001)])).toBe(1500);
  });

  it('knows nothing beyond ends that nobody knows, and a task without one holds its place for good', () => {
    const forecast = over([runs('a', 2), runs('b', 2, 300)]);
    expect(forecast.start([waits('wide', 3, 10)])).toBeUndefined();
    expect(forecast.start([waits('endless', 1)])).toBe(300);
    expect(forecast.start([waits('beside', 1, 10)])).toBe(300);
    expect(forecast.start([waits('two', 2, 10)])).toBeUndefined();
  });

  it('takes an end that is overdue for one that comes soon', () => {
    expect(over([runs('a', 4, 100)], 500).start([waits('w', 4, 10)])).toBe(500);
  });

  it('starts a gang together, and leaves no place taken where that is impossible', () => {
    const nodes = [node('n0', 0), node('n1', 2)];
    const running = [runs('a', 4, 700)];
    const forecast = new Forecast(nodes, (i) => (i === 0 ? running : []), { now: 0, recut: false });
    const member = (n: number) => waits(`m${n}`, 2, 100);
    expect(forecast.start([member(0), member(1)])).toBe(700);
    expect(forecast.start([waits('before', 2, 700)])).toBe(0);
    expect(forecast.start([member(2), member(3), waits('m4', 5, 1)])).toBeUndefined();
    // The gang holds two of the four places from 700 on, one on each node or both on one.
    expect(forecast.start([waits('with', 2, 100)])).toBe(700);
  });

  it('never promises more than there is, and equal tasks keep their turns', () => {
    const task = fc.record({ cpu: fc.integer({ min: 1, max: CPUS }), ms: fc.integer({ min: 1, max: 50 }) });
    fc.assert(
      fc.property(fc.array(task, { maxLength: 4 }), fc.array(task, { maxLength: 12 }), (held, queue) => {
        let free = CPUS;
        const running = held.flatMap(({ cpu, ms }, i) => {
          if (cpu > free) return [];
          free -= cpu;
          return [runs(`r${i}`, cpu, ms)];
        });
        const forecast = over(running);
        const starts = queue.map(({ cpu, ms }, i) => forecast.start([waits(`w${i}`, cpu, ms)])!);
        const spans = [
          ...running.map((r) => ({ cpu: r.cpuMilli / 1000, from: 0, to: r.expectedEndAt! })),
          ...queue.map(({ cpu, ms }, i) => ({ cpu, from: starts[i]!, to: starts[i]! + ms })),
        ];
        for (const { from: at } of spans) {
          const used = spans.filter((s) => s.from <= at && at < s.to).reduce((sum, s) => sum + s.cpu, 0);
          expect(used).toBeLessThanOrEqual(CPUS);
        }
        for (const [i, one] of queue.entries())
          for (const [j, other] of queue.entries())
            if (i < j && one.cpu === other.cpu && one.ms === other.ms)
              expect(starts[i]).toBeLessThanOrEqual(starts[j]!);
      }),
    );
  });
});

it('a plan counts what it starts itself, and tells every waiting task its own start', () => {
  const view = makeView({ nodes: [node('n0', CPUS)] });
  const tasks = Array.from({ length: 10 }, (_, i) => ({ ...waits(`t${i}`, 2, 1000), submittedAt: i }));
  const made = plan(view, tasks, { now: 100 });
  const starts = made.decisions.flatMap((d) => (d.kind === 'wait' ? [d.estimatedStart] : []));
  expect(starts).toEqual([1100, 1100, 2100, 2100, 3100, 3100, 4100, 4100]);
  // The same once they run: what was told before the start holds after it.
  const next = plan(applyPlan(view, made, tasks, 100), tasks.slice(2), { now: 400 });
  expect(next.decisions.map((d) => d.kind === 'wait' && d.estimatedStart)).toEqual(starts);
});
