import { RefusedChange } from '../change.ts';
import { nodeMismatch } from '../eligible.ts';
import type { Pending } from '../pending.ts';
import type { NodeView, RunningTask } from '../view.ts';
import { fitOn } from './fit.ts';
import { withoutTask, withTask } from './working-node.ts';

/** What a node looks like from a moment on, until the next step. */
interface Step {
  readonly at: number;
  readonly node: NodeView;
}

/** Where and when a task would start, and its node's steps with it. */
interface Place {
  readonly node: number;
  readonly at: number;
  readonly steps: readonly Step[];
}

export interface ForecastOptions {
  readonly now: number;
  /** Whether MIG devices may be recut for what waits. */
  readonly recut: boolean;
}

/** Ends first: 1. earlier expected end; 2. earlier start; 3. id. Those without an expected end never end here. */
function compareEnds(a: RunningTask, b: RunningTask): number {
  return a.expectedEndAt! - b.expectedEndAt! || a.startedAt - b.startedAt || (a.taskId < b.taskId ? -1 : 1);
}

/**
 * The future as the expected run times tell it: what runs ends when expected, and what waits starts in its turn, each
 * at the first moment from which there is room for it as long as it runs without delaying anybody before it. That is
 * conservative backfilling (Mu'alem and Feitelson, IEEE TPDS 2001), here only to say when things start. Tasks that are
 * equal thus start one after the other, not all when the first does.
 */
export class Forecast {
  readonly #nodes: readonly NodeView[];
  readonly #runningOn: (node: number) => readonly RunningTask[];
  readonly #options: ForecastOptions;
  /** By node; made when first looked at. */
  #steps = new Map<number, readonly Step[]>();

  /** @param nodes as they are now, with all that runs or is being started holding its share */
  constructor(
    nodes: readonly NodeView[],
    runningOn: (node: number) => readonly RunningTask[],
    options: ForecastOptions,
  ) {
    this.#nodes = nodes;
    this.#runningOn = runningOn;
    this.#options = options;
  }

  /**
   * When tasks that start together can start; what comes after them in turn is told with them in their place.
   * Undefined where the ends that they wait for are unknown, or they do not fit at all: then they take no place.
   */
  start(tasks: readonly Pending[]): number | undefined {
    const before = this.#steps;
    let from = this.#options.now;
    // Members that start later than the others pull these along; each round moves at least one step on.
    for (let round = 0; round < MAX_ROUNDS; round++) {
      this.#steps = new Map(before);
      let at = from;
      for (const task of tasks) {
        const place = this.#earliest(task, from);
        if (!place) {
          this.#steps = before;
          return undefined;
        }
        this.#steps.set(place.node, place.steps);
        at = Math.max(at, place.at);
      }
      if (at === from || tasks.length === 1) return at;
      from = at;
    }
    this.#steps = before;
    return undefined;
  }

  /** 1. earlier; 2. fleet order. */
  #earliest(task: Pending, from: number): Place | undefined {
    let best: Place | undefined;
    for (let i = 0; i < this.#nodes.length; i++) {
      if (nodeMismatch(task, this.#nodes[i]!)) continue;
      const found = this.#earliestOn(task, i, from, best?.at ?? Number.POSITIVE_INFINITY);
      if (found) best = found;
      if (best?.at === from) break;
    }
    return best;
  }

  #earliestOn(task: Pending, node: number, from: number, before: number): Place | undefined {
    const steps = this.#stepsOf(node);
    for (const [k, step] of steps.entries()) {
      const next = steps[k + 1];
      if (next && next.at <= from) continue; // over by then
      const at = Math.max(step.at, from);
      if (at >= before) return undefined;
      const taken = this.#take(task, steps, k, at);
      if (taken) return { node, at, steps: taken };
    }
    return undefined;
  }

  /** The steps with the task in them from `at`, which lies in step `k`; undefined where it does not fit throughout. */
  #take(task: Pending, steps: readonly Step[], k: number, at: number): readonly Step[] | undefined {
    const offers = fitOn(task, steps[k]!.node, { recut: this.#options.recut });
    if (typeof offers === 'string') return undefined;
    const end = at + (task.expectedDurationMs ?? Number.POSITIVE_INFINITY);
    const taken: Step[] = steps.slice(0, k);
    if (steps[k]!.at < at) taken.push(steps[k]!);
    try {
      let last = k;
      for (; last < steps.length && (last === k || steps[last]!.at < end); last++) {
        const start = last === k ? at : steps[last]!.at;
        taken.push({ at: start, node: withTask(steps[last]!.node, task, offers) });
      }
      const after = steps[last];
      if (Number.isFinite(end) && after?.at !== end) taken.push({ at: end, node: steps[last - 1]!.node });
      taken.push(...steps.slice(last));
      return taken;
    } catch (error) {
      // A later start of somebody before it needs what this would still hold.
      if (error instanceof RefusedChange) return undefined;
      throw error;
    }
  }

  #stepsOf(node: number): readonly Step[] {
    const known = this.#steps.get(node);
    if (known) return known;
    const { now } = this.#options;
    let state = this.#nodes[node]!;
    const steps: Step[] = [{ at: now, node: state }];
    const ending = this.#runningOn(node).filter((task) => task.expectedEndAt !== undefined);
    for (const task of ending.sort(compareEnds)) {
      state = withoutTask(state, task);
      // An end that should have come already comes soon, for all that is known.
      const at = Math.max(now, task.expectedEndAt!);
      if (steps.at(-1)!.at === at) steps.pop();
      steps.push({ at, node: state });
    }
    this.#steps.set(node, steps);
    return steps;
  }
}

const MAX_ROUNDS = 32;
