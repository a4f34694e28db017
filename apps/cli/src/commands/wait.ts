import { setTimeout as sleep } from 'node:timers/promises';
import { parseDuration, VgpuError } from '@vgpu/core';
import type { Command } from 'commander';
import { connect } from '../context/connection.ts';
import { Detached } from '../follow/detached.ts';
import { watchJob } from '../follow/watch-job.ts';
import { note, printJson } from '../output/print.ts';
import { stderrStyle as style } from '../output/style.ts';
import { assertCompleted, findJob, jobJson, printOutcome } from '../submit/after-submit.ts';
import { jobArgument } from './show.ts';

export function define(command: Command): void {
  command
    .argument('[job]', jobArgument, 'latest')
    .option('--timeout <duration>', 'give up waiting after this; the job goes on')
    .action(async (id: string, flags: { timeout?: string; json?: boolean }) => {
      const session = connect();
      const limit = flags.timeout === undefined ? undefined : parseDuration(flags.timeout);
      const job = await findJob(session, id);
      const late = async (): Promise<never> => {
        await sleep(limit, undefined, { ref: false });
        throw new VgpuError('CONFLICT', {
          problem: `${job.name} has not ended within ${flags.timeout}`,
          advice: 'It goes on; wait again, or stop it with `vgpu stop`.',
        });
      };
      try {
        const watched = watchJob(session, job.id);
        const ended = await (limit === undefined ? watched : Promise.race([watched, late()]));
        if (flags.json) printJson(jobJson(ended, session));
        else printOutcome(ended);
        assertCompleted(ended);
      } catch (error) {
        if (error instanceof Detached) note(style.dim(`no longer waiting; ${job.name} goes on`));
        throw error;
      }
    });
}
