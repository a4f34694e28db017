import { VgpuError } from '@vgpu/core';
import { type Command, CommanderError } from 'commander';
import { ExitWith } from './exit-with.ts';
import { Detached } from './follow/detached.ts';
import { reportError } from './output/report-error.ts';
import { buildProgram } from './program.ts';

/** The command that the words lead to: `data show`; empty for none. */
function commandOf(program: Command, argv: readonly string[]): string {
  const path: string[] = [];
  let at = program;
  for (const word of argv) {
    if (word.startsWith('-')) continue;
    const below = at.commands.find((sub) => sub.name() === word);
    if (!below) break;
    path.push(word);
    at = below;
  }
  return path.join(' ');
}

/** A usage error as commander puts it, in the words of the catalogue. */
function usageError(error: CommanderError, command: string): VgpuError {
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  // What commander throws after it printed the help of a command that is only a group.
  if (error.code === 'commander.help') {
    const problem = 'say which of its commands; they are listed above';
    const group = new VgpuError('BAD_FLAG', { flag: `vgpu ${command}`.trim(), problem, command });
    return Object.assign(group, { hint: `\`vgpu ${command} COMMAND --help\` explains one of them.` });
  }
  const problem = [first, ...rest].join(' ').trim();
  const known = new VgpuError('BAD_FLAG', { flag: `vgpu ${command}`.trim(), problem, command });
  return command ? known : Object.assign(known, { hint: '`vgpu help` lists the commands.' });
}

/**
 * Runs the command line.
 * @param argv the arguments after `vgpu`.
 * @returns the exit code: 0 done, 1 failed, 2 usage, 3 server or engine out of reach, 130 detached.
 */
export async function main(argv: string[]): Promise<number> {
  const own = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  const json = own.includes('--json');
  // `vgpu logs | head` closes our output early: that is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  let program: Command | undefined;
  try {
    program = await buildProgram(argv);
    if (argv.length === 0) {
      program.outputHelp();
      return 0;
    }
    await program.parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof ExitWith) return error.code;
    if (error instanceof Detached) return 130;
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      return reportError(usageError(error, program ? commandOf(program, argv) : ''), json);
    }
    return reportError(error, json);
  }
}
