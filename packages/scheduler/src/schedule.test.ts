import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyPlan, changeView, makeView, RefusedChange } from './change.ts';
import { fits } from './live/fit.ts';
import type { Pending } from './pending.ts';
import { plan } from './schedule.ts';
import type { AcceleratorView, NodeView, View } from './view.ts';

const GIB = 1024 ** 3;
const NOW = 1_000_000;

const mode = fc.constantFrom('passthrough', 'shared', 'mig', 'remote') as fc.Arbitrary<
  AcceleratorView['mode']
>;

const device = fc.record({
  mode,
  model: fc.constantFrom('A100', 'T4'),
  split: fc.integer({ min: 1, max: 4 }),
});

const cluster: fc.Arbitrary<View> = fc
  .array(
    fc.record({
      cpu: fc.integer({ min: 1, max: 16 }),
      memory: fc.integer({ min: 1, max: 32 }),
      devices: fc.array(device, { maxLength: 4 }),
      zone: fc.constantFrom('a', 'b'),
      tainted: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((nodes) =>
    makeView({
      nodes: nodes.map(
        (n, i): NodeView => ({
          id: `n${i}`,
          cpuMilli: n.cpu * 1000,
          freeCpuMilli: n.cpu * 1000,
          memoryBytes: n.memory * GIB,
          freeMemoryBytes: n.memory * GIB,
          labels: { zone: n.zone },
          taints: n.tainted ? [{ key: 'dedicated', effect: 'no-schedule' }] : [],
          accelerators: n.devices.map((d, g) => ({
            uuid: `n${i}g${g}`,
            model: d.mode === 'mig' ? 'A100' : d.model,
            mode: d.mode,
            milli: 1000,
            freeMilli: 1000,
            vramBytes: 40 * GIB,
            freeVramBytes: 40 * GIB,
            freeSlots: d.split,
            nvlinkGroup: `n${i}-${g % 2}`,
          })),
        }),
      ),
    }),
  );

const task = fc.record({
  cpu: fc.integer({ min: 0, max: 8 }),
  memory: fc.integer({ min: 0, max: 8 }),
  milli: fc.constantFrom(100, 250, 500, 1000),
  count: fc.constantFrom(0, 1, 1, 1, 2),
  vram: fc.constantFrom(0, 5, 10),
  models: fc.constantFrom(undefined, ['A100'], ['T4', 'A100']),
  isolation: fc.constantFrom('any', 'any', 'hard') as fc.Arbitrary<'any' | 'hard'>,
  priority: fc.integer({ min: 0, max: 2 }),
  age: fc.integer({ min: 0, max: 1000 }),
  project: fc.constantFrom('red', 'blue'),
  gang: fc.constantFrom(undefined, undefined, undefined, 'g1', 'g2'),
  tolerates: fc.boolean(),
});

const work: fc.Arbitrary<Pending[]> = fc.array(task, { maxLength: 25 }).map((tasks) =>
  tasks.map(
    (t, i): Pending => ({
      taskId: `t${String(i).padStart(2, '0')}`,
      jobId: 'j',
      project: t.project,
      priority: t.priority,
      submittedAt: NOW - t.age,
      cpuMilli: t.cpu * 1000,
      memoryBytes: t.memory * GIB,
      gpuMilli: t.milli,
      gpuCount: t.count,
      vramBytes: t.vram * GIB,
      models: t.models,
      isolation: t.isolation,
      gang: t.gang === undefined ? undefined : { id: t.gang, size: 2 },
      tolerations: t.tolerates ? [{ key: 'dedicated' }] : [],
    }),
  ),
);

describe('plan', () => {
  it('never over-commits any dimension and decides once on every task', () => {
    fc.assert(
      fc.property(
        cluster,
        work,
        fc.constantFrom('default', 'fgd', 'bestfit', 'packing', 'spread'),
        (view, tasks, ranking) => {
          const made = plan(view, tasks, { now: NOW, ranking });
          // applyPlan checks CPU, memory, compute, vRAM, slots and MIG instances of everything that it binds.
          const next = applyPlan(view, made, tasks, NOW);
          const bound = made.decisions.filter((d) => d.kind === 'bind').map((d) => d.taskId);
          const waits = made.decisions.filter((d) => d.kind === 'wait').map((d) => d.taskId);
          expect([...bound, ...waits].sort()).toEqual(tasks.map((t) => t.taskId).sort());
          expect(next.running.map((t) => t.taskId).sort()).toEqual(bound.sort());
          for (const node of next.nodes) {
            expect(node.freeCpuMilli).toBeGreaterThanOrEqual(0);
            expect(node.freeMemoryBytes).toBeGreaterThanOrEqual(0);
            for (const d of node.accelerators) {
              const onIt = next.running.flatMap((t) => t.accelerators.filter((a) => a.uuid === d.uuid));
              expect(onIt.reduce((sum, a) => sum + a.milli, d.freeMilli)).toBe(d.milli);
              expect(d.freeMilli).toBeGreaterThanOrEqual(0);
              expect(onIt.reduce((sum, a) => sum + a.vramBytes, d.freeVramBytes)).toBe(d.vramBytes);
            }
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('gives back exactly what it took', () => {
    fc.assert(
      fc.property(cluster, work, (view, tasks) => {
        const next = applyPlan(view, plan(view, tasks, { now: NOW }), tasks, NOW);
        const emptied = changeView(
          next,
          next.running.map((t) => ({ kind: 'end', taskId: t.taskId })),
        );
        const amounts = (v: View) =>
          v.nodes.map((n) => [
            n.freeCpuMilli,
            n.freeMemoryBytes,
            ...n.accelerators.flatMap((d) => [d.freeMilli, d.freeVramBytes, d.freeSlots]),
          ]);
        expect(amounts(emptied)).toEqual(amounts(view));
      }),
      { numRuns: 60 },
    );
  });

  it('leaves no fitting task waiting, gangs apart', () => {
    fc.assert(
      fc.property(cluster, work, (view, tasks) => {
        const made = plan(view, tasks, { now: NOW });
        const next = applyPlan(view, made, tasks, NOW);
        for (const d of made.decisions) {
          if (d.kind !== 'wait') continue;
          const t = tasks.find((x) => x.taskId === d.taskId)!;
          if (t.gang) continue;
          for (const node of next.nodes) expect(fits(t, node)).toBe(false);
          expect(d.message).not.toBe('');
          expect(d.unblock).not.toBe('');
        }
      }),
      { numRuns: 100 },
    );
  });

  it('starts gangs whole or not at all', () => {
    fc.assert(
      fc.property(cluster, work, (view, tasks) => {
        const made = plan(view, tasks, { now: NOW });
        for (const gang of ['g1', 'g2']) {
          const members = tasks.filter((t) => t.gang?.id === gang).map((t) => t.taskId);
          const started = made.decisions.filter(
            (d) => d.kind === 'bind' && members.includes(d.taskId),
          ).length;
          expect(started === 0 || started >= 2).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('does not depend on the order of its input', () => {
    fc.assert(
      fc.property(cluster, work, fc.infiniteStream(fc.nat()), (view, tasks, random) => {
        const shuffled = <T>(items: readonly T[]) =>
          items
            .map((item) => [random.next().value!, item] as const)
            .sort((a, b) => a[0] - b[0])
            .map(([, item]) => item);
        const made = plan(view, tasks, { now: NOW, seed: 7 });
        const again = plan({ ...view, nodes: shuffled(view.nodes) }, shuffled(tasks), { now: NOW, seed: 7 });
        expect(again).toEqual(made);
      }),
      { numRuns: 80 },
    );
  });

  it('decides the same with and without a memo, as the cluster changes', () => {
    fc.assert(
      fc.property(cluster, work, fc.array(fc.nat(), { maxLength: 6 }), (start, tasks, ends) => {
        const memo = {};
        const expected = [
          { cpuMilli: 2000, gpuMilli: 500, gpuCount: 1, models: [], weight: 0.7 },
          { cpuMilli: 4000, gpuMilli: 1000, gpuCount: 1, models: [], weight: 0.3 },
        ];
        let view = start;
        for (let round = 0; round <= ends.length; round++) {
          const options = { now: NOW + round * 70_000, expected };
          const kept = plan(view, tasks, { ...options, memo });
          expect(kept).toEqual(plan(view, tasks, options));
          view = applyPlan(view, kept, tasks, options.now);
          const gone = view.running[(ends[round] ?? 0) % Math.max(1, view.running.length)];
          if (gone) view = changeView(view, [{ kind: 'end', taskId: gone.taskId }]);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('refuses a plan that was applied already, or was made for another version', () => {
    fc.assert(
      fc.property(cluster, work, (view, tasks) => {
        const made = plan(view, tasks, { now: NOW });
        const next = applyPlan(view, made, tasks, NOW);
        expect(() => applyPlan(next, made, tasks, NOW)).toThrow(RefusedChange);
      }),
      { numRuns: 30 },
    );
  });

  it('does not start what runs already', () => {
    fc.assert(
      fc.property(cluster, work, (view, tasks) => {
        const next = applyPlan(view, plan(view, tasks, { now: NOW }), tasks, NOW);
        const again = plan(next, tasks, { now: NOW });
        const running = new Set(next.running.map((t) => t.taskId));
        for (const d of again.decisions) if (d.kind === 'bind') expect(running.has(d.taskId)).toBe(false);
      }),
      { numRuns: 30 },
    );
  });
});
