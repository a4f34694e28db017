import type { Command } from 'commander';
import { home } from '../context/home.ts';
import { checkNvidia, checkOpenCl } from '../doctor/accelerator-checks.ts';
import { checkEngine } from '../doctor/engine-check.ts';
import type { Finding } from '../doctor/finding.ts';
import { checkCgroups, checkDisk, checkMachine, checkNode, checkProxy } from '../doctor/host-checks.ts';
import { checkMps } from '../doctor/mps-check.ts';
import { checkServer } from '../doctor/server-check.ts';
import { ExitWith } from '../exit-with.ts';
import { plain } from '../output/plain.ts';
import { print, printJson } from '../output/print.ts';
import { style } from '../output/style.ts';

const marks = { ok: style.green('✓'), warn: style.yellow('!'), fail: style.red('✗') };

/** Every check, in the order in which one thing stands on another. */
async function findings(): Promise<Finding[]> {
  return [
    checkNode(),
    checkMachine(),
    checkCgroups(),
    checkDisk('disk', home()),
    checkProxy(),
    ...(await checkEngine()),
    checkNvidia(),
    checkOpenCl(),
    ...checkMps(),
    ...(await checkServer()),
  ];
}

export function define(command: Command): void {
  command
    .description(
      'Check this machine and say what to do about each finding. Exit code 1 when something fails.',
    )
    .action(async (flags: { json?: boolean }) => {
      const found = await findings();
      if (flags.json) printJson(found);
      else {
        for (const { name, level, text, advice } of found) {
          print(`${marks[level]} ${name.padEnd(9)} ${plain(text)}`);
          if (advice) print(style.dim(`  ${' '.repeat(9)} ${plain(advice)}`));
        }
      }
      if (found.some(({ level }) => level === 'fail')) throw new ExitWith(1);
    });
}
