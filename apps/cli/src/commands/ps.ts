import { routes } from '@vgpu/api';
import { jobStates, VgpuError } from '@vgpu/core';
import type { Command } from 'commander';
import { connect } from '../context/connection.ts';
import { note, print, printJson } from '../output/print.ts';
import { stateStyle, style } from '../output/style.ts';
import { renderTable } from '../output/table.ts';
import { ago, score } from '../output/words.ts';

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
        const query = { state, search: flags.search, limit: flags.limit };
        const page = await connect().client.call(routes.jobs.list, { query });
        if (flags.json) return printJson(page.items);
        if (flags.quiet) {
          for (const job of page.items) print(job.id);
          return;
        }
        if (page.items.length === 0) return note(style.dim('no jobs yet: vgpu run train.py --data a.csv'));
        const rows = page.items.map((job) => {
          const ended = (job.counts.COMPLETED ?? 0) + (job.counts.FAILED ?? 0) + (job.counts.CANCELLED ?? 0);
          const best = job.best ? `${job.primary ?? ''} ${score(job.best.value)}`.trim() : '–';
          return [job.id, job.name, job.state, `${ended}/${job.tasksTotal}`, best, ago(job.submittedAt)];
        });
        const columns = [
          { title: 'job', paint: style.dim },
          { title: 'name', shrinks: true },
          { title: 'state', paint: stateStyle },
          { title: 'tasks', align: 'right' as const },
          { title: 'best' },
          { title: 'submitted', paint: style.dim },
        ];
        print(renderTable(columns, rows));
        if (page.total > page.items.length)
          note(style.dim(`${page.total - page.items.length} more: --limit`));
      },
    );
}
