import type { JobSpec } from '@vgpu/core';
import {
  emptyNode,
  type NodeView,
  type Pending,
  type PlanOptions,
  type PodShape,
  trainWaste,
  typicalPods,
} from '@vgpu/scheduler';
import type { Store } from '@vgpu/store';
import { shapeOf } from './shares.ts';

/** Tasks whose shapes make the picture, and how many new ones make a new picture. */
const REMEMBERED = 512;
const REFRESH_AFTER = 64;
/** Fewer tell nothing: the scheduler then goes by what runs and waits. */
const FEWEST = 8;
/** Runs of the training: a machine is small, so each teaches little and costs well below a millisecond. */
const TRAINING_RUNS = 16;

type Outlook = Pick<PlanOptions, 'expected' | 'waste' | 'memo'>;

/**
 * The work to expect, by the shapes of the latest tasks: what rankings that look ahead take for the future. It changes
 * only every so many tasks, so that plans in between can go on from each other.
 */
export class ExpectedWork {
  #shapes: readonly PodShape[];
  #fresh = 0;
  #machine = '';
  #outlook: Outlook = {};

  constructor(shapes: readonly PodShape[] = []) {
    this.#shapes = shapes.slice(-REMEMBERED);
  }

  /** Reads what the tasks of the latest jobs asked for. */
  static async open(store: Store): Promise<ExpectedWork> {
    const jobs = await store.read
      .selectFrom('jobs')
      .select(['spec', 'tasks_total'])
      .orderBy('id', 'desc')
      .limit(REMEMBERED)
      .execute();
    const shapes: PodShape[] = [];
    for (const { spec, tasks_total } of jobs) {
      const shape = shapeOf(JSON.parse(spec) as JobSpec);
      for (let i = 0; i < tasks_total && shapes.length < REMEMBERED; i++) shapes.push(shape);
    }
    return new ExpectedWork(shapes.reverse());
  }

  /** Counts a task that came to the queue. */
  note({ cpuMilli, gpuMilli, gpuCount, models }: Pending): void {
    this.#shapes = [...this.#shapes, { cpuMilli, gpuMilli, gpuCount, models }].slice(-REMEMBERED);
    this.#fresh++;
  }

  /** What a plan over this machine should be given. */
  outlook(node: NodeView): Outlook {
    if (this.#shapes.length < FEWEST) return {};
    const { cpuMilli, accelerators } = node;
    const machine = JSON.stringify([
      cpuMilli,
      accelerators.map((d) => [d.uuid, d.model, d.milli, d.vramBytes]),
    ]);
    if (machine === this.#machine && this.#fresh < REFRESH_AFTER) return this.#outlook;
    this.#machine = machine;
    this.#fresh = 0;
    const expected = typicalPods(this.#shapes);
    const waste = trainWaste([emptyNode(node)], expected, { runs: TRAINING_RUNS });
    this.#outlook = { expected, memo: {}, ...(accelerators.length > 0 ? { waste } : {}) };
    return this.#outlook;
  }
}
