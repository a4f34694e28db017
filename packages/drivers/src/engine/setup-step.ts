import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { DriverError } from '../errors.ts';
import { which } from './which.ts';

/** One thing that setting up a machine would do. */
export interface SetupStep {
  kind: 'install' | 'service' | 'own-engine';
  /** For people: what and why. */
  title: string;
  /** The commands, as they will run. */
  commands: string[][];
}

/** Whether this user can install Debian packages here. */
export const canInstall = (): boolean => process.getuid?.() === 0 && which('apt-get') !== undefined;

/** A step that installs Debian packages. */
export const installStep = (title: string, packages: readonly string[]): SetupStep => ({
  kind: 'install',
  title: `${title} (${packages.join(', ')})`,
  commands: [
    ['apt-get', 'update', '-q'],
    // Without a terminal of its own dpkg prints lines, not a bar that redraws itself.
    [...'apt-get install -y -q --no-install-recommends -o Dpkg::Use-Pty=0'.split(' '), ...packages],
  ],
});

/**
 * Runs a step's commands one after the other.
 * @param onProgress gets the step's title, then what its commands print.
 * @throws DriverError `ENGINE_FAILED` with the last lines of the one that failed.
 */
export async function runStep(step: SetupStep, onProgress?: (line: string) => void): Promise<void> {
  onProgress?.(step.title);
  for (const command of step.commands) await runCommand(command, onProgress);
}

function runCommand(command: string[], onProgress?: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command[0]!, command.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    const last: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        if (!line.trim()) return;
        last.push(line);
        if (last.length > 20) last.shift();
        onProgress?.(line);
      });
    }
    child.on('error', (cause) =>
      reject(new DriverError('ENGINE_FAILED', `${command[0]} cannot run: ${cause.message}`, '', { cause })),
    );
    child.on('close', (code) =>
      code === 0
        ? resolve()
        : reject(
            new DriverError('ENGINE_FAILED', `"${command.join(' ')}" failed (${code}):\n${last.join('\n')}`),
          ),
    );
  });
}
