import { routes } from '@vgpu/api';
import { isJobTerminal } from '@vgpu/core';
import type { Command } from 'commander';
import { jobArgument } from '../commands/show.ts';
import { connect } from '../context/connection.ts';
import { print, printJson } from '../output/print.ts';
import { taskOf } from '../views/find-task.ts';
import { findJob, jobJson } from './after-submit.ts';

/** A command that stops, or queues again, a whole job or with `--task` one task of it. */
export function defineChange(command: Command, change: 'stop' | 'retry'): void {
  command
    .argument('<job>', jobArgument)
    .option('--task <task>', 'only this task of the job')
    .action(async (id: string, flags: { task?: string; json?: boolean }) => {
      const session = connect();
      const job = await findJob(session, id);
      if (flags.task) {
        const task = taskOf(job, flags.task);
        const changed = await session.client.call(routes.tasks[change], { params: { task: task.id } });
        return flags.json ? printJson(changed) : print(`${job.name}/${task.name}: ${changed.state}`);
      }
      const changed = await session.client.call(routes.jobs[change], { params: { job: job.id } });
      if (flags.json) return printJson(jobJson(changed, session));
      const late = change === 'stop' && isJobTerminal(job.state);
      print(`${changed.name}: ${changed.state}${late ? ' (it had ended already)' : ''}`);
    });
}
