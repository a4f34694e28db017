import { VgpuError } from '@vgpu/core';
import { CommanderError } from 'commander';
import { commandTable } from './command-table.ts';
import { ExitWith } from './exit-with.ts';
import { Detached } from './follow/detached.ts';
import { reportError } from './output/report-error.ts';
import { buildProgram } from './program.ts';

/** A usage error as commander puts it, in the words of the catalogue. */
function usageError(error: CommanderError, argv: readonly string[]): VgpuError {
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const word = argv.find((argument) => !argument.startsWith('-')) ?? '';
  const command = commandTable.some(({ name }) => name === word) ? word : '';
  // What commander throws after it printed the help of a command that is only a group.
  if (error.code === 'commander.help') {
    const problem = 'say which of its commands; they are listed above';
    return new VgpuError('BAD_FLAG', { flag: `vgpu ${command}`.trim(), problem, command });
  }
  return new VgpuError('BAD_FLAG', {
    flag: `vgpu ${command}`.trim(),
    problem: [first, ...rest].join(' ').trim(),
    command: command || 'help',
  });
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
  try {
    const program = await buildProgram(argv);
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
      return reportError(usageError(error, argv), json);
    }
    return reportError(error, json);
  }
}
