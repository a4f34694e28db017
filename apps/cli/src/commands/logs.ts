import { type Job, type RouteOutput, routes, type Task } from '@vgpu/api';
import { VgpuError } from '@vgpu/core';
import type { Command } from 'commander';
import { connect, type Session } from '../context/connection.ts';
import { Detached } from '../follow/detached.ts';
import { prefixOf } from '../follow/plain-view.ts';
import { watchJob } from '../follow/watch-job.ts';
import { plain } from '../output/plain.ts';
import { note, print } from '../output/print.ts';
import { style } from '../output/style.ts';
import { lost } from '../output/words.ts';
import { findJob } from '../submit/after-submit.ts';
import { taskOf } from '../views/find-task.ts';
import { jobArgument } from './show.ts';

interface LogFlags {
  follow?: boolean;
  task?: string;
  tail?: string;
  search?: string;
  regex?: boolean;
  raw?: boolean;
  json?: boolean;
}

type Line = RouteOutput<typeof routes.tasks.logs>['items'][number];
const pageSize = 5000;

/** Prints lines: behind the worker's name where a job has several tasks, as JSON lines with `--json`. */
function printer(job: Job, flags: LogFlags): (task: Task, lines: readonly Line[], dropped: number) => void {
  const prefixed = job.tasks.length > 1 && !flags.raw && !flags.task;
  return (task, lines, dropped) => {
    for (const line of lines) {
      if (flags.json) print(JSON.stringify({ task: task.name, worker: task.worker, ...line }));
      else print((prefixed ? style.dim(prefixOf(task)) : '') + plain(line.text));
    }
    if (dropped > 0) note(style.yellow(`${task.name}: ${lost(dropped)}`));
  };
}

/** Every line of a task so far, page by page. */
async function printAll(
  session: Session,
  task: Task,
  flags: LogFlags,
  show: ReturnType<typeof printer>,
): Promise<void> {
  const tail = flags.tail === undefined ? undefined : Number(flags.tail);
  if (tail !== undefined && !(Number.isInteger(tail) && tail >= 0)) {
    throw new VgpuError('BAD_FLAG', {
      flag: '--tail',
      problem: `"${flags.tail}" is no number`,
      command: 'logs',
    });
  }
  if (tail === 0) return;
  let from = tail === undefined ? 0 : -tail;
  for (let first = true; ; first = false) {
    const page = await session.client.call(routes.tasks.logs, {
      params: { task: task.id },
      query: { from, limit: pageSize, search: flags.search, regex: flags.regex ? 'true' : undefined },
    });
    show(task, page.items, first ? page.dropped : 0);
    const last = page.items.at(-1);
    if (!last || page.items.length < pageSize || last.seq + 1 >= page.total) return;
    from = last.seq + 1;
  }
}

export function define(command: Command): void {
  command
    .argument('[job]', jobArgument, 'latest')
    .option('-f, --follow', 'go on until the job has ended (Ctrl-C leaves it running)')
    .option('--task <task>', 'only this task: its name, worker or number')
    .option('-n, --tail <lines>', 'only the last lines of each task')
    .option('--search <text>', 'only lines that contain this')
    .option('--regex', 'take --search as a regular expression')
    .option('--raw', 'lines only, without the worker’s name')
    .option('--json', 'print one JSON object a line')
    .action(async (id: string, flags: LogFlags) => {
      const session = connect();
      const job = await findJob(session, id);
      const show = printer(job, flags);
      const only = flags.task ? taskOf(job, flags.task) : undefined;
      if (!flags.follow) {
        for (const task of only ? [only] : job.tasks) await printAll(session, task, flags, show);
        return;
      }
      try {
        await watchJob(
          session,
          job.id,
          { onLines: show },
          {
            from: flags.tail === undefined ? 0 : -Number(flags.tail),
            wantsLogs: (task) => !only || task.id === only.id,
          },
        );
      } catch (error) {
        if (error instanceof Detached) note(style.dim(`detached; ${job.name} goes on`));
        throw error;
      }
    });
}
