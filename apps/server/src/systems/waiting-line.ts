import type { Pending } from '@vgpu/scheduler';

/** Everything that decides where and in which turn a task starts, but for its age. */
const kindOf = (task: Pending): string =>
  JSON.stringify([
    task.queue ?? task.project,
    task.priority ?? 0,
    task.qos,
    task.cpuMilli,
    task.memoryBytes,
    task.gpuCount,
    task.gpuMilli,
    task.vramBytes,
    task.isolation,
    task.models,
    task.expectedDurationMs,
    task.throughputByModel,
  ]);

const compareAge = (a: Pending, b: Pending): number =>
  a.submittedAt - b.submittedAt || (a.taskId < b.taskId ? -1 : a.taskId > b.taskId ? 1 : 0);

/** 1. higher priority; 2. earlier submission; 3. id: the order of the tasks beyond those that a plan looks at. */
const compareTurns = (a: Pending, b: Pending): number =>
  (b.priority ?? 0) - (a.priority ?? 0) || compareAge(a, b);

interface Kind {
  readonly key: string;
  /** Oldest first. */
  readonly tasks: Pending[];
}

/**
 * Waiting tasks, grouped so that a plan need not look at all of them: of tasks that differ in nothing but their age
 * the younger cannot start while the older waits, so the oldest of each kind stand for the rest.
 */
export class WaitingLine {
  readonly #tasks = new Map<string, { task: Pending; kind: Kind }>();
  readonly #kinds = new Map<string, Kind>();
  #turns: Map<string, number> | undefined;

  get size(): number {
    return this.#tasks.size;
  }

  get(taskId: string): Pending | undefined {
    return this.#tasks.get(taskId)?.task;
  }

  /** Tasks with the same key get the same answer from a plan. */
  kindOf(taskId: string): string | undefined {
    return this.#tasks.get(taskId)?.kind.key;
  }

  /** In no order. */
  *all(): Iterable<Pending> {
    for (const { task } of this.#tasks.values()) yield task;
  }

  add(task: Pending): void {
    this.remove(task.taskId);
    const key = kindOf(task);
    let kind = this.#kinds.get(key);
    if (!kind) {
      kind = { key, tasks: [] };
      this.#kinds.set(key, kind);
    }
    kind.tasks.splice(place(kind.tasks, task), 0, task);
    this.#tasks.set(task.taskId, { task, kind });
    this.#turns = undefined;
  }

  remove(taskId: string): boolean {
    const known = this.#tasks.get(taskId);
    if (!known) return false;
    const { task, kind } = known;
    kind.tasks.splice(place(kind.tasks, task), 1);
    if (kind.tasks.length === 0) this.#kinds.delete(kind.key);
    this.#tasks.delete(taskId);
    this.#turns = undefined;
    return true;
  }

  /** The oldest `each` tasks of every kind. */
  front(each: number): Pending[] {
    const front: Pending[] = [];
    for (const { tasks } of this.#kinds.values()) {
      for (let i = 0; i < tasks.length && i < each; i++) front.push(tasks[i]!);
    }
    return front;
  }

  /** 1 for the task whose turn comes first, by priority and age. Undefined for one that does not wait. */
  turn(taskId: string): number | undefined {
    if (!this.#turns) {
      const sorted = [...this.all()].sort(compareTurns);
      this.#turns = new Map(sorted.map((task, i) => [task.taskId, i + 1]));
    }
    return this.#turns.get(taskId);
  }
}

/** Where the task stands, or would stand, among tasks by age. */
function place(tasks: readonly Pending[], task: Pending): number {
  let low = 0;
  let high = tasks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareAge(tasks[middle]!, task) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
