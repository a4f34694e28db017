import { routes } from '@vgpu/api';
import type { Command } from 'commander';
import { connect } from '../context/connection.ts';
import { print, printJson } from '../output/print.ts';
import { findJob, jobJson } from '../submit/after-submit.ts';
import { taskOf } from '../views/find-task.ts';
import { jobArgument } from './show.ts';

export function define(command: Command): void {
  command
    .argument('<job>', jobArgument)
    .option('--task <task>', 'only this task of the job')
    .action(async (id: string, flags: { task?: string; json?: boolean }) => {
      const session = connect();
      const job = await findJob(session, id);
      if (flags.task) {
        const task = taskOf(job, flags.task);
        const changed = await session.client.call(routes.tasks.stop, { params: { task: task.id } });
        return flags.json ? printJson(changed) : print(`${job.name}/${task.name}: ${changed.state}`);
      }
      const changed = await session.client.call(routes.jobs.stop, { params: { job: job.id } });
      if (flags.json) printJson(jobJson(changed, session));
      else print(`${changed.name}: ${changed.state}`);
    });
}
