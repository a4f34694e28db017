import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OwnEnginePaths, ownEnginePaths, startOwnEngine, stopEngine } from '@vgpu/drivers';

/** Whether vgpu can run an engine of its own here: as root, with dockerd installed. */
export const canOwnEngine: boolean =
  process.getuid?.() === 0 &&
  ['/usr/bin/dockerd', '/usr/sbin/dockerd', '/usr/local/bin/dockerd'].some(existsSync);

/** An engine of a test's own, apart from every other one: the one that vgpu itself starts for a home. */
export class OwnEngine {
  readonly home: string;
  readonly #paths: OwnEnginePaths;

  private constructor(home: string) {
    this.home = home;
    this.#paths = ownEnginePaths(home);
  }

  static async start(home: string): Promise<OwnEngine> {
    await startOwnEngine(home);
    return new OwnEngine(home);
  }

  get socket(): string {
    return this.#paths.socket;
  }

  /** kill -9 of dockerd or of its containerd. @returns its PID */
  kill(part: 'dockerd' | 'containerd'): number {
    const { pidfile, exec } = this.#paths;
    const pid = Number(
      readFileSync(part === 'dockerd' ? pidfile : join(exec, 'containerd/containerd.pid'), 'utf8').trim(),
    );
    // A number may have been given to another process since it was written down.
    if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(exec))
      throw new Error(`${pid} is not our ${part}`);
    process.kill(pid, 'SIGKILL');
    return pid;
  }

  /** Processes that belong to it: itself and the shims of its containers. */
  processes(): string[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => {
        try {
          const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
          return line.includes(`${this.#paths.exec}/`) ? [line] : [];
        } catch {
          return [];
        }
      });
  }

  async close(): Promise<void> {
    await stopEngine({ home: this.home });
  }
}
