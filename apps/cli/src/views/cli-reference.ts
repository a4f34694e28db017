import type { Command } from 'commander';
import { commandTable } from '../command-table.ts';
import { exitCodeHelp, loadCommand } from '../program.ts';
import { examples } from './examples.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function usage(path: string, command: Command): string {
  const args = command.registeredArguments.map((one) => {
    const name = one.name() + (one.variadic ? '…' : '');
    return one.required ? `<${name}>` : `[${name}]`;
  });
  return ['vgpu', path, ...args].join(' ');
}

/** One command, or each of those below it. */
function section(path: string, command: Command): string[] {
  if (command.commands.length > 0) {
    return command.commands.flatMap((sub) => section(`${path} ${sub.name()}`, sub));
  }
  const rows = command.options.map((option) => `| \`${cell(option.flags)}\` | ${cell(option.description)} |`);
  return [
    '',
    `### \`${usage(path, command)}\``,
    '',
    command.description(),
    '',
    '| option | |',
    '|---|---|',
    ...rows,
    '',
    '```sh',
    ...(examples[path] ?? []),
    '```',
  ];
}

/** The reference of the command line as Markdown. */
export async function cliReference(): Promise<string> {
  const lines = [
    '# The command line',
    '',
    'Written by `node tools/write-cli-reference.ts`. Every command has `--help`. A job is named by its id, a start of its id, its name (the newest of that name) or `latest`.',
    '',
    '```',
    exitCodeHelp.trim(),
    '```',
  ];
  let group = '';
  for (const entry of commandTable) {
    if (entry.group !== group) lines.push('', `## ${entry.group}`);
    group = entry.group;
    lines.push(...section(entry.name, await loadCommand(entry)));
  }
  return `${lines.join('\n')}\n`;
}
