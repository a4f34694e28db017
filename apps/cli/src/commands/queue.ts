import { routes } from '@vgpu/api';
import type { Command } from 'commander';
import { connect } from '../context/connection.ts';
import { note, print, printJson } from '../output/print.ts';
import { style } from '../output/style.ts';
import { renderTable } from '../output/table.ts';
import { ago, until } from '../output/words.ts';

export function define(command: Command): void {
  command.action(async (flags: { json?: boolean }) => {
    const { items } = await connect().client.call(routes.machine.queue, {});
    if (flags.json) return printJson(items);
    if (items.length === 0) return note(style.dim('nothing waits'));
    const columns = [
      { title: '#', align: 'right' as const },
      { title: 'job', shrinks: true },
      { title: 'task', shrinks: true },
      { title: 'priority', align: 'right' as const },
      { title: 'submitted', paint: style.dim },
      { title: 'starts', paint: style.dim },
      { title: 'why it waits', shrinks: true },
    ];
    const rows = items.map((entry) => [
      entry.position,
      entry.jobName,
      entry.name,
      entry.priority,
      ago(entry.submittedAt),
      until(entry.estimatedStart),
      entry.why,
    ]);
    print(renderTable(columns, rows));
  });
}
