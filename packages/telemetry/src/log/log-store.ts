import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TaskLog, type TaskLogOptions } from './task-log.ts';

/** Logs of finished tasks that stay open for readers. */
const MAX_IDLE = 32;

/** The logs of all tasks, a folder each under `root`. */
export class LogStore {
  readonly #root: string;
  readonly #options: TaskLogOptions;
  readonly #open = new Map<string, Promise<TaskLog>>();
  readonly #writing = new Set<string>();

  constructor(root: string, options: TaskLogOptions = {}) {
    this.#root = root;
    this.#options = options;
  }

  /**
   * The log of a task, for reading.
   * @throws RangeError if the id is not made of letters, digits, `-`, `_` and `.`
   */
  log(task: string): Promise<TaskLog> {
    const folder = this.#folder(task);
    let log = this.#open.get(task);
    if (log === undefined) {
      log = TaskLog.open(folder, this.#options);
      log.catch(() => this.#open.delete(task));
      this.#open.set(task, log);
      this.#forgetIdle();
    }
    return log;
  }

  /** The log of a task, for appending; call `finish` when the task has ended. */
  writer(task: string): Promise<TaskLog> {
    this.#writing.add(task);
    return this.log(task);
  }

  /** Writes what is left of a task's log; it stays readable. */
  async finish(task: string): Promise<void> {
    this.#writing.delete(task);
    await (await this.#open.get(task))?.close();
  }

  /** Deletes a task's log. */
  async remove(task: string): Promise<void> {
    const folder = this.#folder(task);
    const open = this.#open.get(task);
    this.#open.delete(task);
    this.#writing.delete(task);
    await (await open)?.close();
    await rm(folder, { recursive: true, force: true });
  }

  /** Writes what is in memory, for all tasks. */
  async close(): Promise<void> {
    for (const log of this.#open.values()) await (await log).close();
    this.#open.clear();
    this.#writing.clear();
  }

  #folder(task: string): string {
    if (!/^[\w-][\w.-]{0,127}$/.test(task))
      throw new RangeError(`task id ${JSON.stringify(task)} is not a file name`);
    return join(this.#root, task);
  }

  #forgetIdle(): void {
    for (const [task] of this.#open) {
      if (this.#open.size <= MAX_IDLE) return;
      if (!this.#writing.has(task)) this.#open.delete(task);
    }
  }
}
