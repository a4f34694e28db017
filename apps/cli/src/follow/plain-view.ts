import type { RouteOutput, routes, Task } from '@vgpu/api';
import { isTerminal } from '@vgpu/core';
import { plain } from '../output/plain.ts';
import { print } from '../output/print.ts';
import { stateStyle, style } from '../output/style.ts';
import { duration } from '../output/words.ts';
import type { JobListener } from './watch-job.ts';

type LogLine = RouteOutput<typeof routes.tasks.logs>['items'][number];

/** What stands before a task's lines. */
export const prefixOf = (task: Task): string => `${task.worker ?? `task ${task.index + 1}`} | `;

/** Lines of all workers in the order that they came, each behind its worker's name. */
export class PlainView implements JobListener {
  readonly #states = new Map<string, string>();

  onTask(task: Task): void {
    if (this.#states.get(task.id) === task.state) return;
    const isNew = !this.#states.has(task.id);
    this.#states.set(task.id, task.state);
    const about = `${task.name} ${stateStyle(task.state)}`;
    if (task.state === 'RUNNING') print(style.dim(prefixOf(task)) + about);
    if (isTerminal(task.state) && !isNew) {
      const why = task.reason ? `: ${plain(task.reason.message)}` : ` after ${duration(task.timings.run)}`;
      print(style.dim(prefixOf(task)) + about + why);
    }
  }

  onLines(task: Task, lines: readonly LogLine[]): void {
    for (const line of lines) print(style.dim(prefixOf(task)) + plain(line.text));
  }

  close(): void {}
}
