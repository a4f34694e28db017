import { type Job, routes } from '@vgpu/api';
import type { SubmitFlags } from '../commands/run-options.ts';
import { pageOf, type Session } from '../context/connection.ts';
import { ExitWith } from '../exit-with.ts';
import { followJob } from '../follow/follow-job.ts';
import { watchJob } from '../follow/watch-job.ts';
import { plain } from '../output/plain.ts';
import { note, print, printJson } from '../output/print.ts';
import { style } from '../output/style.ts';
import { renderTable } from '../output/table.ts';
import { count } from '../output/words.ts';
import { failures, taskTable, waits } from '../views/job-report.ts';
import { checkHere } from './check-here.ts';
import { type CheckedRequest, preview, type SubmitRequest, submit } from './submit.ts';

/** What `--json` prints of a job: its view, and the id once more under the name that programs rely on. */
export const jobJson = (job: Job, session: Session) => ({
  job: job.id,
  ...job,
  dashboard: pageOf(session.connection, `jobs/${job.id}`),
});

/** Prints how a job ended. */
export function printOutcome(job: Job): void {
  print(taskTable(job));
  for (const text of [...failures(job), ...waits(job)]) print(`\n${text}`);
}

/** Throws exit code 1 unless every task COMPLETED. */
export function assertCompleted(job: Job): void {
  if (job.state !== 'COMPLETED') throw new ExitWith(1);
}

async function printPreview(session: Session, request: CheckedRequest, json: boolean): Promise<void> {
  const plan = await preview(session, request);
  if (json) return printJson(plan);
  const rows = plan.tasks.map((task) => [
    task.name,
    task.dataset,
    task.node ?? '–',
    task.accelerators.join(', ') || '–',
    task.waiting ? task.waiting.message : 'starts at once',
  ]);
  const columns = ['task', 'dataset', 'node', 'accelerators', 'start'].map((title) => ({
    title,
    shrinks: true,
  }));
  print(renderTable(columns, rows));
  for (const warning of plan.warnings) note(style.yellow(plain(warning)));
}

/**
 * Submits, and then does what the flags ask for: return, wait or follow.
 * What can be found wrong here is told before a server is asked, or started.
 */
export async function submitAndStay(
  connect: () => Promise<Session>,
  request: SubmitRequest,
  flags: SubmitFlags,
): Promise<void> {
  const json = flags.json === true;
  const checked = { ...request, parsed: checkHere(request.spec, request.from) };
  const session = await connect();
  if (flags.dryRun) return printPreview(session, checked, json);
  const job = await submit(session, { ...checked, idempotencyKey: flags.idempotencyKey });
  if (!flags.wait && !flags.follow) {
    if (json) return printJson(jobJson(job, session));
    print(`${style.bold(plain(job.name))} submitted: ${count(job.tasksTotal, 'task')}  ${style.dim(job.id)}`);
    print(style.dim(`  vgpu logs -f ${job.id}\n  ${pageOf(session.connection, `jobs/${job.id}`)}`));
    return;
  }
  if (!json) note(`${style.bold(plain(job.name))}  ${style.dim(job.id)}`);
  const ended = flags.follow && !json ? await followJob(session, job) : await watchJob(session, job.id);
  if (json) printJson(jobJson(ended, session));
  else printOutcome(ended);
  assertCompleted(ended);
}

/** Looks a job up by id, start of an id, name or `latest`. */
export const findJob = ({ client }: Session, job: string): Promise<Job> =>
  client.call(routes.jobs.get, { params: { job } });
