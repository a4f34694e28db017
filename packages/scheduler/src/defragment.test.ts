import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyPlan, changeView, makeView } from './change.ts';
import { defragment } from './defragment.ts';
import type { View } from './view.ts';

function cluster(
  devices: number,
  tasks: readonly { device: number; milli: number; movable: boolean }[],
): View {
  let view = makeView({
    nodes: Array.from({ length: devices }, (_, i) => ({
      id: `n${i}`,
      cpuMilli: 64_000,
      freeCpuMilli: 64_000,
      memoryBytes: 64e9,
      freeMemoryBytes: 64e9,
      labels: { 'kubernetes.io/hostname': `n${i}`, zone: 'a' },
      accelerators: [
        {
          uuid: `g${i}`,
          model: 'A100',
          mode: 'shared' as const,
          milli: 1000,
          freeMilli: 1000,
          vramBytes: 40e9,
          freeVramBytes: 40e9,
        },
      ],
    })),
  });
  for (const [i, t] of tasks.entries()) {
    const node = view.nodes.find((n) => n.id === `n${t.device % devices}`)!;
    if (node.accelerators[0]!.freeMilli < t.milli) continue;
    view = changeView(view, [
      {
        kind: 'start',
        task: {
          taskId: `t${i}`,
          jobId: 'j',
          project: 'p',
          priority: 0,
          qos: 'burstable',
          node: node.id,
          cpuMilli: 1000,
          memoryBytes: 1e9,
          accelerators: [{ uuid: node.accelerators[0]!.uuid, milli: t.milli, vramBytes: 1e9 }],
          startedAt: 0,
          checkpointable: t.movable,
        },
      },
    ]);
  }
  return view;
}

const empty = (view: View) =>
  view.nodes.flatMap((n) => n.accelerators).filter((d) => d.freeMilli === d.milli).length;

describe('defragment', () => {
  it('gathers fractions on few devices', () => {
    const view = cluster(
      4,
      [0, 1, 2, 3].map((device) => ({ device, milli: 250, movable: true })),
    );
    const next = applyPlan(view, defragment(view), [], 0);
    expect(empty(next)).toBe(3);
  });

  it('gains whole devices, loses nobody, moves only what may move and no more than it may', () => {
    const task = fc.record({
      device: fc.nat(7),
      milli: fc.constantFrom(100, 250, 400, 600, 1000),
      movable: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(task, { maxLength: 20 }), fc.integer({ min: 0, max: 6 }), (tasks, maxMoves) => {
        const view = cluster(8, tasks);
        const made = defragment(view, { maxMoves });
        const next = applyPlan(view, made, [], 0);
        expect(made.decisions.length).toBeLessThanOrEqual(maxMoves);
        expect(next.running.map((t) => t.taskId).sort()).toEqual(view.running.map((t) => t.taskId).sort());
        if (made.decisions.length > 0) expect(empty(next)).toBeGreaterThan(empty(view));
        for (const d of made.decisions)
          if (d.kind === 'migrate')
            expect(view.running.find((t) => t.taskId === d.taskId)!.checkpointable).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});
