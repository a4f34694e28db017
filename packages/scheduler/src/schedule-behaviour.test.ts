import { describe, expect, it } from 'vitest';
import { applyPlan, changeView, makeView } from './change.ts';
import type { Pending } from './pending.ts';
import type { Bind, Decision, Wait } from './plan.ts';
import { type PlanOptions, plan } from './schedule.ts';
import type { AcceleratorView, NodeView, QueueView, RunningTask, View } from './view.ts';

const GIB = 1024 ** 3;

function gpu(uuid: string, over: Partial<AcceleratorView> = {}): AcceleratorView {
  const milli = over.milli ?? 1000;
  const vramBytes = over.vramBytes ?? 40 * GIB;
  return {
    uuid,
    model: 'A100',
    mode: 'shared',
    milli,
    freeMilli: milli,
    vramBytes,
    freeVramBytes: vramBytes,
    ...over,
  };
}

function node(id: string, accelerators: readonly AcceleratorView[], over: Partial<NodeView> = {}): NodeView {
  return {
    id,
    cpuMilli: 32_000,
    freeCpuMilli: 32_000,
    memoryBytes: 128 * GIB,
    freeMemoryBytes: 128 * GIB,
    accelerators,
    ...over,
  };
}

function ask(taskId: string, over: Partial<Pending> = {}): Pending {
  return {
    taskId,
    jobId: 'job',
    project: 'p',
    submittedAt: 0,
    cpuMilli: 1000,
    memoryBytes: GIB,
    gpuMilli: 1000,
    gpuCount: 1,
    ...over,
  };
}

/** A view in which the tasks run where a plan put them, with what else is known of them. */
function running(view: View, tasks: readonly Pending[], extra: Partial<RunningTask> = {}, now = 0): View {
  const next = applyPlan(view, plan(view, tasks, { now }), tasks, now);
  return changeView(
    next,
    next.running
      .filter((r) => tasks.some((t) => t.taskId === r.taskId))
      .map((r) => ({ kind: 'update-task', taskId: r.taskId, patch: extra })),
  );
}

function decide(view: View, tasks: readonly Pending[], options: Partial<PlanOptions> = {}) {
  const made = plan(view, tasks, { now: 0, ...options });
  const of = <K extends Decision['kind']>(kind: K) =>
    made.decisions.filter((d): d is Extract<Decision, { kind: K }> => d.kind === kind);
  return { made, of, bound: of('bind').map((b: Bind) => b.taskId), waits: of('wait') as Wait[] };
}

describe('order', () => {
  it('goes by priority, then QoS, then age', () => {
    const view = makeView({ nodes: [node('n', [gpu('g')])] });
    const first = (tasks: Pending[]) => decide(view, tasks).bound[0];
    expect(first([ask('old', { submittedAt: 1 }), ask('urgent', { submittedAt: 2, priority: 5 })])).toBe(
      'urgent',
    );
    expect(first([ask('b', { submittedAt: 1 }), ask('g', { submittedAt: 2, qos: 'guaranteed' })])).toBe('g');
    expect(first([ask('new', { submittedAt: 2 }), ask('old', { submittedAt: 1 })])).toBe('old');
  });

  it('lets a pressing deadline go first while it can be met', () => {
    const view = makeView({ nodes: [node('n', [gpu('g')])] });
    const due = ask('due', { submittedAt: 9, deadlineAt: 150, expectedDurationMs: 100 });
    expect(decide(view, [ask('old'), due]).bound).toEqual(['due']);
    const late = { ...due, deadlineAt: 50 };
    expect(decide(view, [ask('old'), late]).bound).toEqual(['old']);
  });
});

describe('fair share', () => {
  const nodes = [node('n', [gpu('g0'), gpu('g1'), gpu('g2'), gpu('g3')])];
  const many = (queue: string, n: number) =>
    Array.from({ length: n }, (_, i) => ask(`${queue}${i}`, { queue, submittedAt: queue === 'a' ? 0 : 10 }));

  it('divides what nobody deserves by weight', () => {
    const queues: QueueView[] = [
      { id: 'a', overQuotaWeight: 1 },
      { id: 'b', overQuotaWeight: 3 },
    ];
    const { bound } = decide(makeView({ nodes, queues }), [...many('a', 4), ...many('b', 4)]);
    expect(bound.filter((t) => t.startsWith('b'))).toHaveLength(3);
  });

  it('gives equal claims to the older one', () => {
    const view = makeView({ nodes: [node('n', [gpu('g')])] });
    const { bound } = decide(view, [
      ask('x', { queue: 'a', submittedAt: 5 }),
      ask('y', { queue: 'b', submittedAt: 4 }),
    ]);
    expect(bound).toEqual(['y']);
  });

  it('serves quotas before borrowing, at every level of the tree', () => {
    const queues: QueueView[] = [
      { id: 'lab', quota: { gpuMilli: 3000 } },
      { id: 'a', parent: 'lab', quota: { gpuMilli: 0 } },
      { id: 'b', parent: 'lab', quota: { gpuMilli: 3000 } },
      { id: 'guest' },
    ];
    const work = [...many('guest', 4), ...many('b', 4)];
    const { bound } = decide(makeView({ nodes, queues }), work);
    expect(bound.filter((t) => t.startsWith('b'))).toHaveLength(3);
    expect(bound).toHaveLength(4);
  });

  it('holds queues to their limits and says so', () => {
    const queues: QueueView[] = [
      { id: 'a', limit: { gpuMilli: 2000 } },
      { id: 'b', overQuotaWeight: 0, quota: { gpuMilli: 1000 } },
    ];
    const { bound, waits } = decide(makeView({ nodes, queues }), [...many('a', 3), ...many('b', 2)]);
    expect(bound.sort()).toEqual(['a0', 'a1', 'b0']);
    expect(waits.map((w) => [w.taskId, w.code]).sort()).toEqual([
      ['a2', 'limit'],
      ['b1', 'quota'],
    ]);
  });

  it('reclaims what was borrowed, and only that', () => {
    const queues: QueueView[] = [
      { id: 'a', quota: { gpuMilli: 2000 } },
      { id: 'b', quota: { gpuMilli: 2000 } },
    ];
    const view = running(makeView({ nodes, queues }), many('a', 4));
    const { of, bound } = decide(view, many('b', 4), { now: 100, disruptionBudget: 10 });
    expect(of('preempt')).toHaveLength(2);
    expect(of('preempt').every((p) => p.reason.includes('takes back'))).toBe(true);
    expect(bound).toEqual(['b0', 'b1']);
  });
});

describe('gangs', () => {
  it('waits for members that were not submitted yet', () => {
    const view = makeView({ nodes: [node('n', [gpu('g0'), gpu('g1')])] });
    const { waits } = decide(view, [ask('x', { gang: { id: 'g', size: 2 } })]);
    expect(waits[0]).toMatchObject({ taskId: 'x', code: 'gang' });
  });

  it('counts members that run already', () => {
    const view = running(makeView({ nodes: [node('n', [gpu('g0'), gpu('g1')])] }), [ask('r')], { gang: 'g' });
    expect(decide(view, [ask('x', { gang: { id: 'g', size: 2 } })]).bound).toEqual(['x']);
  });

  it('leaves nothing behind when it does not fit, so that others start', () => {
    const view = makeView({ nodes: [node('n', [gpu('g0'), gpu('g1')])] });
    const gang = [0, 1, 2].map((i) => ask(`m${i}`, { priority: 1, gang: { id: 'g', size: 3 } }));
    expect(decide(view, [...gang, ask('s0'), ask('s1')]).bound.sort()).toEqual(['s0', 's1']);
  });
});

describe('backfill', () => {
  const base = makeView({ nodes: [node('n', [gpu('g0'), gpu('g1')])] });
  const busy = running(base, [ask('r', { expectedDurationMs: 1000 })]);
  const large = ask('large', { gpuCount: 2, priority: 1 });

  it('estimates the start of what waits from expected ends', () => {
    const [wait] = decide(busy, [large], { now: 10 }).waits;
    expect(wait).toMatchObject({ taskId: 'large', code: 'gpu', position: 1, estimatedStart: 1000 });
  });

  it('fills gaps only with work that ends in time, once patience is over', () => {
    const short = ask('short', { submittedAt: 5, expectedDurationMs: 500 });
    const long = ask('long', { submittedAt: 4, expectedDurationMs: 5000 });
    const late = { now: 100, patienceMs: 50 };
    const { bound, waits } = decide(busy, [large, long, short], late);
    expect(bound).toEqual(['short']);
    expect(waits.find((w) => w.taskId === 'long')?.code).toBe('reserved');
    expect(decide(busy, [large, long], { now: 10, patienceMs: 50 }).bound).toEqual(['long']);
  });

  it('does not starve a large task under an endless stream of small ones of higher priority', () => {
    let view = base;
    const stuck = ask('large', { gpuCount: 2 });
    let started: number | undefined;
    for (let now = 0; now < 200 && started === undefined; now++) {
      const over = view.running.filter((t) => t.expectedEndAt! <= now);
      view = changeView(
        view,
        over.map((t) => ({ kind: 'end', taskId: t.taskId })),
      );
      // Two small ones of uneven length always wait; alone, some device is always taken.
      const small = [7, 10].map((d, i) =>
        ask(`s${now}-${i}`, { submittedAt: now, expectedDurationMs: d, priority: i }),
      );
      const tasks = [...small, stuck];
      const made = plan(view, tasks, { now, patienceMs: 20, starvationMs: 30 });
      if (made.decisions.some((d) => d.kind === 'bind' && d.taskId === 'large')) started = now;
      view = applyPlan(view, made, tasks, now);
    }
    expect(started).toBeLessThanOrEqual(60);
  });
});

describe('making room', () => {
  const two = makeView({ nodes: [node('a', [gpu('a0')]), node('b', [gpu('b0')])] });
  const half = (id: string, on: string) => ask(id, { gpuMilli: 500, node: on });

  it('moves work that can be checkpointed rather than stopping any', () => {
    const view = running(two, [half('x', 'a'), half('y', 'b')], { checkpointable: true });
    const { of, bound, made } = decide(view, [ask('whole', { priority: 1 })], {
      disruptionBudget: 1,
      now: 5,
    });
    expect(of('migrate')).toHaveLength(1);
    expect(of('preempt')).toHaveLength(0);
    expect(bound).toEqual(['whole']);
    const next = applyPlan(view, made, [ask('whole', { priority: 1 })], 5);
    expect(next.running.map((t) => t.taskId).sort()).toEqual(['whole', 'x', 'y']);
  });

  it('does nothing to running work without a budget', () => {
    const view = running(two, [half('x', 'a'), half('y', 'b')], { checkpointable: true });
    const { of, waits } = decide(view, [ask('whole', { priority: 1 })]);
    expect(of('migrate')).toHaveLength(0);
    expect(waits).toHaveLength(1);
  });

  it('preempts the least: lower priority, checkpointable first, no more than needed', () => {
    let view = running(two, [half('x', 'a'), half('y', 'a')]);
    view = running(view, [ask('z', { node: 'b' })], { checkpointable: true });
    const { of, bound } = decide(view, [ask('urgent', { priority: 9 })], { disruptionBudget: 5, now: 50 });
    expect(of('preempt')).toMatchObject([{ taskId: 'z', checkpoint: true, lostMs: 0 }]);
    expect(bound).toEqual(['urgent']);
    expect(of('bind')[0]?.after).toEqual(['z']);
  });

  it('never stops equals, the non-preemptible, or more than the budget', () => {
    const view = running(two, [ask('x', { priority: 3 }), ask('y', { priority: 3 })]);
    expect(decide(view, [ask('same', { priority: 3 })], { disruptionBudget: 5 }).of('preempt')).toHaveLength(
      0,
    );
    const firm = running(two, [ask('x'), ask('y')], { preemptible: false });
    expect(decide(firm, [ask('up', { priority: 9 })], { disruptionBudget: 5 }).of('preempt')).toHaveLength(0);
    const small = running(makeView({ nodes: [node('a', [gpu('a0')])] }), [half('x', 'a'), half('y', 'a')]);
    expect(decide(small, [ask('up', { priority: 9 })], { disruptionBudget: 1 }).of('preempt')).toHaveLength(
      0,
    );
  });
});

describe('modes', () => {
  it('gives hard isolation on shared devices only to whole ones that are empty', () => {
    const view = makeView({ nodes: [node('n', [gpu('g0', { milli: 2000 }), gpu('g1', { milli: 2000 })])] });
    const busy = running(view, [ask('r', { gpuMilli: 300 })]);
    const taken = busy.running[0]!.accelerators[0]!.uuid;
    const { of, waits } = decide(busy, [
      ask('whole', { isolation: 'hard' }),
      ask('part', { gpuMilli: 300, isolation: 'hard' }),
    ]);
    const [share] = of('bind')[0]!.accelerators;
    expect(share).toMatchObject({ milli: 2000, vramBytes: 40 * GIB });
    expect(share!.uuid).not.toBe(taken);
    expect(waits).toMatchObject([{ taskId: 'part', code: 'no-isolation' }]);
  });

  it('keeps joined devices together and refuses what topology forbids', () => {
    const four = ['x', 'x', 'y', 'y'].map((g, i) => gpu(`g${i}`, { nvlinkGroup: g }));
    const view = makeView({ nodes: [node('n', four)] });
    const pair = decide(view, [ask('p', { gpuCount: 2, topology: 'nvlink' })]).of('bind')[0]!;
    expect(new Set(pair.accelerators.map((a) => four.find((d) => d.uuid === a.uuid)!.nvlinkGroup)).size).toBe(
      1,
    );
    const { waits } = decide(view, [ask('q', { gpuCount: 3, topology: 'nvlink' })]);
    expect(waits[0]?.code).toBe('topology');
  });

  it('gives a vGPU its one type per device', () => {
    const types = [
      { name: 'A100-10C', vramBytes: 10 * GIB, maxInstances: 4 },
      { name: 'A100-20C', vramBytes: 20 * GIB, maxInstances: 2 },
    ];
    const view = makeView({ nodes: [node('n', [gpu('g', { mode: 'vgpu', vgpuTypes: types })])] });
    const asks = [
      ask('small', { gpuMilli: 200, vramBytes: 8 * GIB, submittedAt: 1 }),
      ask('big', { gpuMilli: 500, vramBytes: 15 * GIB, submittedAt: 2 }),
    ];
    const { of, waits } = decide(view, asks);
    expect(of('bind')[0]?.accelerators[0]).toMatchObject({ profile: 'A100-10C', milli: 250 });
    expect(waits[0]).toMatchObject({ taskId: 'big', code: 'profile' });
  });

  it('cuts MIG devices for what waits and counts slices exactly', () => {
    const view = makeView({ nodes: [node('n', [gpu('g', { mode: 'mig', mig: [] })])] });
    const asks = Array.from({ length: 8 }, (_, i) => ask(`t${i}`, { gpuMilli: 142, vramBytes: 4 * GIB }));
    const { of, bound, waits, made } = decide(view, asks);
    expect(bound).toHaveLength(7);
    expect(of('repartition')).toHaveLength(7);
    expect(waits[0]?.code).toBe('profile');
    const next = applyPlan(view, made, asks, 0);
    expect(next.nodes[0]!.accelerators[0]!.mig?.map((m) => m.start)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('tells projects apart where a device runs one project at a time', () => {
    const both = [ask('b', { project: 'b', gpuMilli: 500 }), ask('a', { project: 'a', gpuMilli: 500 })];
    const half = makeView({ nodes: [node('n', [gpu('g', { oneProject: 'a', freeMilli: 500 })])] });
    const { bound, waits } = decide(half, both);
    expect(bound).toEqual(['a']);
    expect(waits.map((one) => [one.taskId, one.code])).toEqual([['b', 'project']]);
    const full = makeView({ nodes: [node('n', [gpu('g', { oneProject: 'a', freeMilli: 100 })])] });
    const codes = decide(full, both).waits.map((one) => [one.taskId, one.code]);
    expect(Object.fromEntries(codes)).toEqual({ a: 'gpu', b: 'project' });
  });

  it('says what a task waits for and what would help', () => {
    const view = makeView({ nodes: [node('n', [gpu('g')])] });
    const cases: [Partial<Pending>, string][] = [
      [{ models: ['H100'] }, 'no-model'],
      [{ gpuCount: 2 }, 'too-large'],
      [{ cpuMilli: 64_000 }, 'too-large'],
      [{ vramBytes: 80 * GIB }, 'too-large'],
      [{ nodeSelector: [{ key: 'zone', in: ['a'] }] }, 'no-labels'],
      [{ mode: 'mig' }, 'no-mode'],
    ];
    for (const [over, code] of cases) {
      const [wait] = decide(view, [ask('x', over)]).waits;
      expect(wait?.code).toBe(code);
      expect(wait?.unblock.length).toBeGreaterThan(10);
    }
    expect(decide(makeView(), [ask('x')]).waits[0]?.code).toBe('no-nodes');
  });
});

describe('preferences', () => {
  it('sends work to the model on which it is fast', () => {
    const view = makeView({
      nodes: [node('slow', [gpu('s', { model: 'T4' })]), node('fast', [gpu('f', { model: 'A100' })])],
    });
    for (const [model, where] of [
      ['A100', 'fast'],
      ['T4', 'slow'],
    ] as const) {
      const throughputByModel = { A100: 1, T4: 1, [model]: 4 };
      const { of } = decide(view, [ask('x', { throughputByModel })], { weights: { throughput: 1 } });
      expect(of('bind')[0]?.node).toBe(where);
    }
  });

  it('avoids degraded devices and soft taints while there is a choice', () => {
    const view = makeView({
      nodes: [
        node('bad', [gpu('b', { health: 'degraded' })]),
        node('meh', [gpu('m')], { taints: [{ key: 'spot', effect: 'prefer-no-schedule' }] }),
        node('good', [gpu('g')]),
      ],
    });
    expect(decide(view, [ask('x')]).of('bind')[0]?.node).toBe('good');
    expect(decide(view, [ask('x'), ask('y'), ask('z')]).bound).toHaveLength(3);
  });

  it('wakes no idle device for energy when a busy one has room', () => {
    const power = { idleWatts: 100, maxWatts: 300 };
    const view = running(
      makeView({ nodes: [node('a', [gpu('a0', { power })]), node('b', [gpu('b0', { power })])] }),
      [ask('r', { gpuMilli: 100, node: 'b' })],
    );
    const { of } = decide(view, [ask('x', { gpuMilli: 100 })], { ranking: 'spread', weights: { energy: 1 } });
    expect(of('bind')[0]?.node).toBe('b');
  });
});
