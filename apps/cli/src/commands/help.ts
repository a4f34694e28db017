import { suggest, VgpuError } from '@vgpu/core';
import type { Command } from 'commander';
import { commandTable } from '../command-table.ts';
import { print, printJson } from '../output/print.ts';
import { buildProgram, loadCommand } from '../program.ts';
import { specHelp } from '../views/spec-help.ts';

export function define(command: Command): void {
  command
    .argument('[topic]', 'a command, or spec')
    .action(async (topic: string | undefined, flags: { json?: boolean }) => {
      if (topic === undefined && flags.json) {
        return printJson(commandTable.map(({ name, summary, group }) => ({ name, summary, group })));
      }
      if (topic === undefined) return (await buildProgram([])).outputHelp();
      if (topic === 'spec') return print(specHelp());
      const entry = commandTable.find(({ name }) => name === topic);
      if (!entry) {
        const near = suggest(topic, [...commandTable.map(({ name }) => name), 'spec']);
        const problem = `no such topic${near ? `; did you mean "${near}"?` : ''}`;
        const unknown = new VgpuError('BAD_FLAG', { flag: topic, problem, command: 'help' });
        throw Object.assign(unknown, { hint: '`vgpu help` lists the commands.' });
      }
      if (flags.json) return printJson({ name: entry.name, summary: entry.summary, group: entry.group });
      (await loadCommand(entry)).outputHelp();
    });
}
