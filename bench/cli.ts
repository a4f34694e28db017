import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type Bench, less, quantile } from './result.ts';

const vgpu = join(import.meta.dirname, '../vgpu');

function milliseconds(argv: readonly string[]): number | null {
  const startedAt = performance.now();
  const done = spawnSync(argv[0]!, argv.slice(1), { stdio: 'ignore' });
  return done.status === 0 ? performance.now() - startedAt : null;
}

/** Median of `rounds` starts of each program, taken in turns so that a noisy moment hits all alike. */
function medians(programs: readonly (readonly string[])[], rounds: number): (number | null)[] {
  const samples = programs.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    programs.forEach((argv, i) => {
      const ms = milliseconds(argv);
      if (ms !== null && round > 0) samples[i]!.push(ms);
    });
  }
  return samples.map((one) => (one.length > 0 ? quantile(one, 0.5) : null));
}

/** How long the command line takes to answer. */
export const bench: Bench = async ({ quick }) => {
  const programs = [
    [vgpu, '--version'],
    [process.execPath, '-e', '0'],
    [vgpu, 'ps', '--help'],
    ['npm', '--version'],
  ];
  const [version, node, help, npm] = medians(programs, quick ? 8 : 25);
  return [
    less('CLI start: vgpu --version', 'ms', version!, node!, 'bare node'),
    less('CLI start: vgpu ps --help', 'ms', help!, npm!, 'npm --version'),
  ];
};
