import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { commandTable } from './command-table.ts';
import { buildProgram, loadCommand } from './program.ts';
import { cliReference } from './views/cli-reference.ts';
import { examples } from './views/examples.ts';

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

/** Every command that does something, with its path. */
function leavesOf(command: Command, path: string): [path: string, command: Command][] {
  if (command.commands.length === 0) return [[path, command]];
  return command.commands.flatMap((sub) => leavesOf(sub, `${path} ${sub.name()}`));
}

test('every command has examples, of flags and commands that there are', async () => {
  const all = await Promise.all(
    commandTable.map(async (entry) => leavesOf(await loadCommand(entry), entry.name)),
  );
  const leaves = new Map(all.flat());
  expect(Object.keys(examples).sort()).toEqual([...leaves.keys()].sort());
  for (const [path, command] of leaves) {
    for (const line of examples[path]!) {
      const [, own] = line.split(`vgpu ${path}`);
      expect(own, `an example of ${path}`).toBeDefined();
      const flags = own!.split(/ -- | #|\|/)[0]!.match(/(?<= )--?[a-z-]+/g) ?? [];
      const known = command.options.flatMap((option) => [option.long, option.short]);
      for (const flag of flags) expect(known, line).toContain(flag);
      expect(line.length, `fits 80 columns: ${line}`).toBeLessThanOrEqual(78);
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
