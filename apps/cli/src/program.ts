import { Command } from 'commander';
import { type CommandEntry, commandTable } from './command-table.ts';
import { version } from './version.ts';
import { examples } from './views/examples.ts';

export const exitCodeHelp = `
Exit codes:
  0    done; with run --wait and wait: every task COMPLETED
  1    failed; with run --wait and wait: a task did not complete
  2    the command line or the job spec is wrong
  3    the server or the container engine cannot be reached
  130  Ctrl-C; a job that was followed goes on`;

function bare(entry: CommandEntry): Command {
  return new Command(entry.name).summary(entry.summary).description(`${entry.summary}.`);
}

/** Gives a command, and each command below it, what all have: `--json`, exit codes in the help, no exit of its own. */
function dress(command: Command, path = ''): Command {
  command.exitOverride().configureOutput({ outputError: () => {} });
  if (command.name() === 'vgpu') {
    // the options of the program are its own
  } else if (command.commands.length > 0) {
    for (const sub of command.commands) dress(sub, `${path} ${sub.name()}`);
  } else if (!command.options.some((option) => option.long === '--json')) {
    command.option('--json', 'print JSON');
  }
  const lines = examples[path];
  if (lines) command.addHelpText('after', `\n${['Examples:', ...lines].join('\n  ')}`);
  return command.addHelpText('after', exitCodeHelp);
}

/** A command with its own code loaded. */
export async function loadCommand(entry: CommandEntry): Promise<Command> {
  const command = bare(entry);
  (await entry.load()).define(command);
  return dress(command, entry.name);
}

/**
 * The program that understands an argument list. Only the command that is asked for is loaded.
 * @param all loads every command, for completion and the like.
 */
export async function buildProgram(argv: readonly string[], all = false): Promise<Command> {
  const program = dress(
    new Command('vgpu')
      .description('Runs machine-learning jobs in isolated workers on shared accelerators.')
      .version(version, '-V, --version', 'print the version')
      .helpCommand(false)
      .usage('<command> [options]'),
  );
  program.addHelpText(
    'after',
    '\nFirst steps:\n  vgpu demo\n  vgpu run train.py --data a.csv --data b.csv --follow',
  );
  const wanted = argv.find((argument) => !argument.startsWith('-'));
  for (const entry of commandTable) {
    const load = all || entry.name === wanted;
    program.commandsGroup(`${entry.group}:`);
    program.addCommand(load ? await loadCommand(entry) : bare(entry));
  }
  return program;
}
