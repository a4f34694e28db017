import type { Command } from 'commander';
import { ensureServer } from '../context/ensure-server.ts';
import { submitAndStay } from '../submit/after-submit.ts';
import {
  addRunOptions,
  addSubmitOptions,
  type RunFlags,
  type SubmitFlags,
  specFromFlags,
} from './run-options.ts';

export function define(command: Command): void {
  command
    .description('Run a script, once for each dataset, each in a worker of its own.')
    .argument('<script>', 'a Python script or a program')
    .argument('[args...]', 'arguments for the script, after --');
  addSubmitOptions(addRunOptions(command)).action(
    async (script: string, args: string[], flags: RunFlags & SubmitFlags) => {
      const spec = specFromFlags(script, args, flags);
      await submitAndStay(ensureServer, { spec, from: process.cwd(), folder: flags.folder }, flags);
    },
  );
}
