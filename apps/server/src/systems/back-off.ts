import type { Pending } from '@vgpu/scheduler';

/** Node's timers hold no more. */
const LONGEST_MS = 2 ** 31 - 1;

/** Tasks that failed and are tried again later. */
export class BackOff {
  readonly #waiting = new Map<string, { task: Pending; timer: NodeJS.Timeout; until: number }>();

  /** Keeps a task until a time (epoch ms), then hands it back. False where that is now. */
  keep(task: Pending, until: number, then: (task: Pending) => void): boolean {
    this.forget(task.taskId);
    const wait = until - Date.now();
    if (!(wait > 0)) return false;
    const timer = setTimeout(
      () => {
        if (!this.keep(task, until, then)) then(task);
      },
      Math.min(wait, LONGEST_MS),
    );
    timer.unref();
    this.#waiting.set(task.taskId, { task, timer, until });
    return true;
  }

  forget(taskId: string): void {
    clearTimeout(this.#waiting.get(taskId)?.timer);
    this.#waiting.delete(taskId);
  }

  /** Until when a task is kept; undefined where it is not. */
  until(taskId: string): number | undefined {
    return this.#waiting.get(taskId)?.until;
  }

  all(): readonly Pending[] {
    return [...this.#waiting.values()].map(({ task }) => task);
  }

  clear(): void {
    for (const { timer } of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
  }
}
