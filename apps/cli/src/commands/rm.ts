import { routes } from '@vgpu/api';
import type { Command } from 'commander';
import { connect } from '../context/connection.ts';
import { watchJob } from '../follow/watch-job.ts';
import { print, printJson } from '../output/print.ts';
import { findJob } from '../submit/after-submit.ts';

export function define(command: Command): void {
  command
    .argument('<job...>', 'ids, starts of ids, names, or latest')
    .option('-f, --force', 'stop the job first where it has not ended')
    .action(async (ids: string[], flags: { force?: boolean; json?: boolean }) => {
      const session = connect();
      const removed: string[] = [];
      for (const id of ids) {
        const job = await findJob(session, id);
        if (flags.force && job.endedAt === null) {
          await session.client.call(routes.jobs.stop, { params: { job: job.id } });
          await watchJob(session, job.id);
        }
        await session.client.call(routes.jobs.remove, { params: { job: job.id } });
        removed.push(job.id);
        if (!flags.json) print(`${job.name} ${job.id} deleted`);
      }
      if (flags.json) printJson({ removed });
    });
}
