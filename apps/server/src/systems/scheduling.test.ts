import type { Bind, Pending, QueueView } from '@vgpu/scheduler';
import fc from 'fast-check';
import pino from 'pino';
import { describe, expect, test } from 'vitest';
import { Scheduling, type SchedulingOptions } from './scheduling.ts';

const GIB = 2 ** 30;
const CPU = 4000;
const MEMORY = 8 * GIB;

let age = 0;
const task = (taskId: string, more: Partial<Pending> = {}): Pending => ({
  taskId,
  jobId: 'job',
  project: 'default',
  submittedAt: ++age,
  cpuMilli: 1000,
  memoryBytes: GIB,
  gpuMilli: 0,
  gpuCount: 0,
  qos: 'burstable',
  expectedDurationMs: 60_000,
  ...more,
});

/** The scheduling of a small machine, with what it started and stopped instead of workers. */
function machine(more: Partial<SchedulingOptions> = {}) {
  const started: string[] = [];
  const stopped: { task: string; for: string }[] = [];
  const binds = new Map<string, Bind>();
  const scheduling = new Scheduling({
    cpuMilli: CPU,
    memoryBytes: MEMORY,
    log: pino({ level: 'silent' }),
    preemption: 16,
    accelerators: () => [],
    queues: () => [],
    blocked: () => undefined,
    start: (bind) => {
      started.push(bind.taskId);
      binds.set(bind.taskId, bind);
    },
    stoppable: () => true,
    preempt: (preempt) => stopped.push({ task: preempt.taskId, for: preempt.for }),
    ...more,
  });
  scheduling.open();
  return { scheduling, started, stopped, binds };
}

/** Until every plan that can follow from what was done has been made. */
async function settled() {
  for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe('making room', () => {
  test('a task of higher priority starts when the one it displaces is gone, and not before', async () => {
    const at = machine();
    at.scheduling.add(task('low', { cpuMilli: 4000 }));
    await settled();
    at.scheduling.add(task('high', { cpuMilli: 2000, priority: 5 }));
    at.scheduling.add(task('equal', { cpuMilli: 1000 }));
    await settled();
    expect(at.started).toEqual(['low']);
    expect(at.stopped).toEqual([{ task: 'low', for: 'high' }]);
    expect(at.scheduling.waiting('high')).toMatchObject({ code: 'preempting', position: 1 });
    at.scheduling.release('low');
    at.scheduling.add(task('low', { cpuMilli: 4000 }));
    await settled();
    expect(at.started).toEqual(['low', 'high', 'equal']);
    expect(at.scheduling.waiting('low')).toMatchObject({ code: 'cpu', position: 1 });
  });

  test('best-effort yields to others of its priority; equals, guaranteed and starting work do not', async () => {
    const at = machine({ stoppable: (id) => id !== 'starting' });
    at.scheduling.add(task('guaranteed', { qos: 'guaranteed' }));
    at.scheduling.add(task('burstable', {}));
    at.scheduling.add(task('starting', { qos: 'best-effort' }));
    at.scheduling.add(task('idle', { qos: 'best-effort' }));
    await settled();
    at.scheduling.add(task('next', {}));
    at.scheduling.add(task('after', { priority: 3, cpuMilli: 3000 }));
    await settled();
    expect(at.stopped.map((one) => one.task)).toEqual(['idle']);
  });

  test('a cancelled claim gives its room back; a victim that cannot be stopped sends the claimant back', async () => {
    const at = machine();
    at.scheduling.add(task('low', { cpuMilli: 4000 }));
    await settled();
    at.scheduling.add(task('gone', { cpuMilli: 4000, priority: 1 }));
    await settled();
    at.scheduling.remove('gone');
    at.scheduling.release('low');
    at.scheduling.add(task('low', { cpuMilli: 4000 }));
    await settled();
    expect(at.started).toEqual(['low', 'low']);
    at.scheduling.add(task('patient', { cpuMilli: 4000, priority: 1 }));
    await settled();
    at.scheduling.stays('low');
    await settled();
    expect(at.stopped.map((one) => one.for)).toEqual(['gone', 'patient']);
    expect(at.scheduling.waiting('patient')?.position).toBe(1);
    expect(at.scheduling.queue().map((one) => one.task.taskId)).toEqual(['patient']);
  });

  test('nobody is stopped where preemption is off', async () => {
    const at = machine({ preemption: 0 });
    at.scheduling.add(task('low', { cpuMilli: 4000, qos: 'best-effort' }));
    await settled();
    at.scheduling.add(task('high', { priority: 9 }));
    await settled();
    expect(at.stopped).toEqual([]);
    expect(at.scheduling.waiting('high')).toMatchObject({ code: 'cpu', position: 1 });
  });
});

describe('why and when', () => {
  test('of thousands of equal tasks every one knows its turn and reason, and the next ones their start', async () => {
    const at = machine();
    const before = Date.now();
    for (let i = 0; i < 3000; i++) at.scheduling.add(task(`t${i}`));
    await settled();
    expect(at.started).toEqual(['t0', 't1', 't2', 't3']);
    const next = at.scheduling.waiting('t4')!;
    expect(next).toMatchObject({ position: 1, code: 'cpu' });
    expect(next.estimatedStart).toBeGreaterThanOrEqual(before + 60_000);
    expect(at.scheduling.waiting('t2999')).toMatchObject({ position: 2996, code: 'cpu' });
    for (const id of ['t0', 't1', 't2', 't3']) at.scheduling.release(id);
    await settled();
    expect(at.started).toHaveLength(8);
    expect(at.scheduling.queue().map((one) => one.waiting.position)).toEqual(
      Array.from({ length: 2992 }, (_, i) => i + 1),
    );
  });

  test('more equal tasks than one plan looks at all start when there is room', async () => {
    const at = machine();
    for (let i = 0; i < 200; i++) at.scheduling.add(task(`t${i}`, { cpuMilli: 1, memoryBytes: 1 }));
    await settled();
    await settled();
    expect(at.started).toHaveLength(200);
  });

  test('a project at its limit waits for itself, others pass', async () => {
    const queues: QueueView[] = [{ id: 'lab', limit: { cpuMilli: 1000 } }];
    const at = machine({ queues: () => queues });
    for (const id of ['a', 'b']) at.scheduling.add(task(id, { project: 'lab' }));
    at.scheduling.add(task('c'));
    await settled();
    expect(at.started.sort()).toEqual(['a', 'c']);
    expect(at.scheduling.waiting('b')).toMatchObject({ code: 'limit' });
    expect(at.scheduling.waitingOf('lab')).toBe(1);
  });
});

test('whatever comes and goes: never over-committed, nothing lost, nothing started twice', async () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('submit' as const),
      cpu: fc.constantFrom(500, 1000, 2000, 4000),
      memory: fc.constantFrom(GIB / 2, GIB, 4 * GIB),
      priority: fc.integer({ min: -1, max: 2 }),
      qos: fc.constantFrom('guaranteed' as const, 'burstable' as const, 'best-effort' as const),
      project: fc.constantFrom('default', 'lab'),
    }),
    fc.record({ kind: fc.constantFrom('end' as const, 'cancel' as const, 'stays' as const), at: fc.nat() }),
    fc.record({ kind: fc.constant('pause' as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const queues: QueueView[] = [{ id: 'lab', quota: { cpuMilli: 2000 }, limit: { cpuMilli: 3000 } }];
      const tasks = new Map<string, Pending>();
      const waiting = new Set<string>();
      const running = new Set<string>();
      const leaving = new Set<string>();
      // What breaks in a callback of the scheduling is no failure of the property by itself.
      const broken: unknown[] = [];
      const holds = (check: () => void) => {
        try {
          check();
        } catch (error) {
          broken.push(error);
        }
      };
      const { scheduling } = machine({
        queues: () => queues,
        start: ({ taskId }) =>
          holds(() => {
            expect(waiting.delete(taskId)).toBe(true);
            running.add(taskId);
            const held = [...running].map((id) => tasks.get(id)!);
            const sum = (of: (one: Pending) => number, all = held) => all.reduce((n, one) => n + of(one), 0);
            expect(sum((one) => one.cpuMilli)).toBeLessThanOrEqual(CPU);
            expect(sum((one) => one.memoryBytes)).toBeLessThanOrEqual(MEMORY);
            const lab = held.filter((one) => one.project === 'lab');
            expect(sum((one) => one.cpuMilli, lab)).toBeLessThanOrEqual(3000);
          }),
        preempt: ({ taskId, for: other }) =>
          holds(() => {
            expect(running.has(taskId)).toBe(true);
            expect(leaving.has(taskId)).toBe(false);
            const victim = tasks.get(taskId)!;
            expect(victim.qos).not.toBe('guaranteed');
            const claimant = tasks.get(other)!;
            const crosses = victim.project !== claimant.project;
            expect(crosses || victim.qos === 'best-effort' || victim.priority! < claimant.priority!).toBe(
              true,
            );
            leaving.add(taskId);
          }),
      });
      const end = (id: string) => {
        running.delete(id);
        scheduling.release(id);
        if (leaving.delete(id)) {
          waiting.add(id);
          scheduling.add(tasks.get(id)!);
        } else tasks.delete(id);
      };
      for (const [i, one] of steps.entries()) {
        if (one.kind === 'submit') {
          const { cpu, memory, ...rest } = one;
          const added = task(`t${i}`, { ...rest, cpuMilli: cpu, memoryBytes: memory });
          if (added.project === 'lab' && cpu > 3000) continue;
          tasks.set(added.taskId, added);
          waiting.add(added.taskId);
          scheduling.add(added);
        } else if (one.kind === 'pause') await settled();
        else if (one.kind === 'end' && running.size) end([...running][one.at % running.size]!);
        else if (one.kind === 'cancel' && waiting.size) {
          const id = [...waiting][one.at % waiting.size]!;
          waiting.delete(id);
          tasks.delete(id);
          scheduling.remove(id);
        } else if (one.kind === 'stays' && leaving.size) {
          const id = [...leaving][one.at % leaving.size]!;
          leaving.delete(id);
          scheduling.stays(id);
        }
      }
      // Whatever waits comes to its turn once everything before it has ended.
      for (let turn = 0; turn < 4 * steps.length && tasks.size > 0; turn++) {
        await settled();
        expect(
          scheduling
            .queue()
            .map((one) => one.task.taskId)
            .sort(),
        ).toEqual([...waiting].sort());
        for (const id of [...running]) end(id);
      }
      expect(broken).toEqual([]);
      expect(tasks.size).toBe(0);
      expect(scheduling.held()).toEqual([]);
      scheduling.close();
    }),
    { numRuns: 500 },
  );
});
