import type { Command } from 'commander';
import { connect, pageOf } from '../context/connection.ts';
import { print, printJson } from '../output/print.ts';
import { style } from '../output/style.ts';
import { findJob, jobJson, printOutcome } from '../submit/after-submit.ts';
import { jobHead } from '../views/job-report.ts';

export const jobArgument = 'id, start of an id, name, or latest';

export function define(command: Command): void {
  command.argument('[job]', jobArgument, 'latest').action(async (id: string, flags: { json?: boolean }) => {
    const session = connect();
    const job = await findJob(session, id);
    if (flags.json) return printJson(jobJson(job, session));
    print(`${jobHead(job)}\n`);
    printOutcome(job);
    print(style.dim(`\n${pageOf(session.connection, `jobs/${job.id}`)}`));
  });
}
