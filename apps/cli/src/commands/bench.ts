import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Command } from 'commander';
import { root } from '../context/root.ts';
import { ExitWith } from '../exit-with.ts';

export function define(command: Command): void {
  command
    .description('Measure vgpu against its rivals on this machine, both in the same run.')
    .argument('[name...]', 'only these (see --list)')
    .option('--list', 'say which there are')
    .option('--quick', 'fewer rounds: rougher figures in less time')
    .option('--no-save', 'leave bench/results and docs/performance.md as they are')
    .action(
      async (names: string[], flags: { list?: boolean; quick?: boolean; save: boolean; json?: boolean }) => {
        const args = ['--disable-warning=ExperimentalWarning', join(root, 'bench/run.ts'), ...names];
        if (flags.list) args.push('--list');
        if (flags.quick) args.push('--quick');
        if (flags.json) args.push('--json');
        if (!flags.save) args.push('--no-save');
        const child = spawn(process.execPath, args, { stdio: 'inherit', cwd: root });
        const [code] = (await once(child, 'exit')) as [number | null];
        if (code !== 0) throw new ExitWith(code ?? 1);
      },
    );
}
