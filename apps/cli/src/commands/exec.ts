import { parseBytes, parseMilli, VgpuError } from '@vgpu/core';
import { buildNative, execUnderSlice, Inventory } from '@vgpu/devices';
import { type Command, Option } from 'commander';
import { home } from '../context/home.ts';
import { ExitWith } from '../exit-with.ts';

interface ExecFlags {
  gpu: string;
  vram?: string;
  qos: 'guaranteed' | 'burstable' | 'best-effort';
}

export function define(command: Command): void {
  command
    .description(
      'Run a program of this machine on a slice of an accelerator: no server, no container. ' +
        'Its exit code is the program’s.',
    )
    .argument('<program...>', 'the program and its arguments, after --')
    .requiredOption('--gpu <share>', 'share of the accelerator: 0.25 is a quarter')
    .option('--vram <size>', 'accelerator memory (default: the same part as of the compute)')
    .addOption(
      new Option('--qos <class>', 'quality of service')
        .choices(['guaranteed', 'burstable', 'best-effort'])
        .default('burstable'),
    )
    .action(async (program: string[], flags: ExecFlags) => {
      const milli = parseMilli(flags.gpu, 'gpu');
      if (milli < 1 || milli > 1000) {
        const problem = `"${flags.gpu}" is not between 0.001 and 1: a program gets a share of one accelerator`;
        throw new VgpuError('BAD_FLAG', { flag: '--gpu', problem, command: 'exec' });
      }
      const bytes = flags.vram === undefined ? 0 : parseBytes(flags.vram);
      await buildNative(); // where it cannot be, what follows says why
      const inventory = new Inventory();
      await inventory.start();
      const devices = [...inventory.accelerators];
      inventory.stop();
      const code = await execUnderSlice(home(), devices, { milli, bytes, qos: flags.qos, command: program });
      if (code !== 0) throw new ExitWith(code);
    });
}
