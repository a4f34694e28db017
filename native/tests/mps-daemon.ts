// The fake MPS control daemon in a test bed.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed } from './bed.ts';

export class MpsDaemon {
  readonly pipes: string;
  private readonly bed: Bed;
  private readonly tool: string;
  private readonly env: NodeJS.ProcessEnv;

  constructor(bed: Bed) {
    this.bed = bed;
    this.pipes = join(bed.dir, 'mps');
    this.tool = join(bed.build, 'fakedriver/nvidia-cuda-mps-control');
    this.env = { ...bed.env, CUDA_MPS_PIPE_DIRECTORY: this.pipes, CUDA_MPS_LOG_DIRECTORY: this.pipes };
    mkdirSync(this.pipes);
  }

  /** Runs the daemon in the foreground of nobody; resolves once it answers. */
  async start(): Promise<void> {
    const child = spawn(this.tool, ['-f'], { env: this.env, stdio: 'ignore' });
    child.unref();
    for (let i = 0; i < 500; i++) {
      if (this.command('get_default_active_thread_percentage') === '100.0') return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error('the MPS daemon does not answer');
  }

  /** One command of NVIDIA's tool; what it prints. */
  command(text: string): string {
    const done = spawnSync(this.tool, { env: this.env, input: `${text}\n`, encoding: 'utf8' });
    return `${done.stdout}${done.stderr}`.trim();
  }

  stop(): void {
    this.command('quit');
  }

  /** A slice under this daemon. */
  slice(id: string, settings: string): Promise<string> {
    return this.bed.slice(id, `${settings} mps=${this.pipes}`);
  }
}
