import { type JobSummary, routes, type VgpuClient } from '@vgpu/api';
import { jobStates, VgpuError } from '@vgpu/core';
import type { Command } from 'commander';
import { connect } from '../context/connection.ts';
import { note, print, printJson } from '../output/print.ts';
import { stateStyle, style } from '../output/style.ts';
import { renderTable } from '../output/table.ts';
import { ago, score, until } from '../output/words.ts';

/** For each job with waiting tasks the turn of the first of them, and when it is thought to start: `#2, in 40 s`. */
async function turnsOf(client: VgpuClient, jobs: readonly JobSummary[]): Promise<Map<string, string>> {
  const turns = new Map<string, string>();
  if (!jobs.some((job) => (job.counts.QUEUED ?? 0) > 0)) return turns;
  const { items } = await client.call(routes.machine.queue, {});
  for (const { job, position, estimatedStart } of items) {
    if (turns.has(job)) continue;
    const start = estimatedStart === null ? '' : `, ${until(estimatedStart)}`;
    turns.set(job, position > 0 ? `#${position}${start}` : until(estimatedStart));
  }
  return turns;
}

export function define(command: Command): void {
  command
    .option('--state <state>', `only jobs in a state: ${jobStates.join(', ').toLowerCase()}`)
    .option('--search <text>', 'only jobs whose name contains this')
    .option('-n, --limit <n>', 'at most so many, newest first', '20')
    .option('-q, --quiet', 'print ids only')
    .action(
      async (flags: { state?: string; search?: string; limit: string; quiet?: boolean; json?: boolean }) => {
        const state = flags.state?.toUpperCase() as (typeof jobStates)[number] | undefined;
        if (state && !jobStates.includes(state)) {
          throw new VgpuError('BAD_FLAG', {
            flag: '--state',
            problem: `no state "${flags.state}"`,
            command: 'ps',
          });
        }
        const limit = Number(flags.limit);
        if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
          const problem = `"${flags.limit}" is no number from 1 to 1000`;
          throw new VgpuError('BAD_FLAG', { flag: '--limit', problem, command: 'ps' });
        }
        const query = { state, search: flags.search, limit };
        const { client } = connect();
        const page = await client.call(routes.jobs.list, { query });
        if (flags.json) return printJson(page.items);
        if (flags.quiet) {
          for (const job of page.items) print(job.id);
          return;
        }
        if (page.items.length === 0) {
          const filtered = state !== undefined || flags.search !== undefined;
          return note(style.dim(filtered ? 'no job matches' : 'no jobs yet: vgpu run train.py --data a.csv'));
        }
        const turns = await turnsOf(client, page.items);
        const rows = page.items.map((job) => {
          const ended = (job.counts.COMPLETED ?? 0) + (job.counts.FAILED ?? 0) + (job.counts.CANCELLED ?? 0);
          const best = job.best ? `${job.primary ?? ''} ${score(job.best.value)}`.trim() : '–';
          const turn = turns.get(job.id) ?? '–';
          return [
            job.id,
            job.name,
            job.state,
            `${ended}/${job.tasksTotal}`,
            best,
            turn,
            ago(job.submittedAt),
          ];
        });
        const columns = [
          { title: 'job', paint: style.dim },
          { title: 'name', shrinks: true },
          { title: 'state', paint: stateStyle },
          { title: 'tasks', align: 'right' as const },
          { title: 'best' },
          { title: 'waits', paint: style.dim },
          { title: 'submitted', paint: style.dim },
        ];
        print(renderTable(columns, rows));
        if (page.total > page.items.length)
          note(style.dim(`${page.total - page.items.length} more: --limit`));
      },
    );
}
