import { routes } from '@vgpu/api';
import { knownScores } from '@vgpu/core';
import type { Command } from 'commander';
import { connect } from '../context/connection.ts';
import { note, print, printJson } from '../output/print.ts';
import { stateStyle, style } from '../output/style.ts';
import { type Column, renderTable } from '../output/table.ts';
import { score } from '../output/words.ts';
import { findJob } from '../submit/after-submit.ts';
import { jobArgument } from './show.ts';

const titles = knownScores as Record<string, { title: string } | undefined>;

export function define(command: Command): void {
  command.argument('[job]', jobArgument, 'latest').action(async (id: string, flags: { json?: boolean }) => {
    const session = connect();
    const job = await findJob(session, id);
    const table = await session.client.call(routes.jobs.metrics, { params: { job: job.id } });
    if (flags.json) return printJson(table);
    if (table.columns.length === 0) return note(style.dim(`${job.name} has reported no scores`));
    const columns: Column[] = [
      { title: 'task', shrinks: true },
      { title: 'state', paint: stateStyle },
      ...table.columns.map((name): Column => ({ title: titles[name]?.title ?? name, align: 'right' })),
    ];
    const rows = table.rows.map((row) => [
      row.best ? `${row.name} ★` : row.name,
      row.state,
      ...table.columns.map((name) => score(row.values[name])),
    ]);
    print(renderTable(columns, rows));
    if (table.primary) note(style.dim(`★ best by ${table.primary} (${table.goal})`));
  });
}
