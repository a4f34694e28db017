import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commandTable } from './command-table.ts';
import { buildProgram, loadCommand } from './program.ts';
import { cliReference } from './views/cli-reference.ts';

test('every command loads, has --json and lists the exit codes', async () => {
  for (const entry of commandTable) {
    const command = await loadCommand(entry);
    expect(command.name()).toBe(entry.name);
    const leaves =
      command.commands.length > 0
        ? command.commands.flatMap((sub) => (sub.commands.length > 0 ? sub.commands : [sub]))
        : [command];
    for (const leaf of leaves) {
      expect(
        leaf.options.map((option) => option.long),
        leaf.name(),
      ).toContain('--json');
      expect(leaf.helpInformation()).toContain('Usage:');
    }
  }
});

test('only the command that is asked for is loaded', async () => {
  const program = await buildProgram(['ps']);
  expect(program.commands.map((command) => command.name())).toEqual(commandTable.map(({ name }) => name));
  const withOptions = program.commands.filter((command) => command.options.length > 0);
  expect(withOptions.map((command) => command.name())).toEqual(['ps']);
});

test('docs/cli.md is what the commands say of themselves', async () => {
  const page = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
  expect(page, 'run: node tools/write-cli-reference.ts').toBe(await cliReference());
});
