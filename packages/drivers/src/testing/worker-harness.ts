import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openRing } from '@vgpu/telemetry';
import type { CollectedOutputs, Driver, TaskLaunch, WorkerExit, WorkerHandle } from '../types.ts';
import { TEST_IMAGE } from './test-engine.ts';

const MIB = 1024 * 1024;

export interface Finished {
  handle: WorkerHandle;
  exit: WorkerExit;
  stdout: string;
  stderr: string;
  dropped: number;
  ringBroken: boolean;
  outputs: CollectedOutputs;
  outDir: string;
}

/** Scripts, datasets and a home in a folder of their own, and the few calls that every driver test makes. */
export class WorkerHarness {
  readonly dir = mkdtempSync(join(tmpdir(), 'vgpu-drv-'));
  readonly home = join(this.dir, 'home');
  readonly image: string;
  #count = 0;

  constructor(image = TEST_IMAGE) {
    this.image = image;
    mkdirSync(this.home);
  }

  /** A launch of `script` (Python source), with small limits. `files` lie next to it. */
  launch(script: string, changes: Partial<TaskLaunch> = {}, files: Record<string, string> = {}): TaskLaunch {
    const n = ++this.#count;
    const bundleDir = join(this.dir, `bundle-${n}`);
    for (const [name, text] of Object.entries({ 'main.py': script, ...files })) {
      mkdirSync(dirname(join(bundleDir, name)), { recursive: true });
      writeFileSync(join(bundleDir, name), text);
    }
    const datasetPath = join(this.dir, 'data.csv');
    writeFileSync(datasetPath, 'x,y\n1,2\n3,4\n');
    const id = `${n}-${randomBytes(5).toString('hex')}`;
    return {
      attemptId: `a${id}`,
      taskId: `t${id}`,
      jobId: 'job',
      project: 'default',
      workerName: `vgpu-worker-${String(n).padStart(2, '0')}`,
      image: this.image,
      command: { kind: 'python', script: 'main.py', args: [] },
      bundleDir,
      datasetPath,
      env: {},
      secrets: [],
      cpuMilli: 1000,
      memoryBytes: 256 * MIB,
      pidsLimit: 128,
      timeLimitMs: 30_000,
      outputLimits: { bytes: 16 * MIB, files: 200 },
      network: 'none',
      ports: [],
      ...changes,
    };
  }

  /** Runs a script to its end and gives everything back. */
  async run(
    driver: Driver,
    script: string,
    changes: Partial<TaskLaunch> = {},
    files: Record<string, string> = {},
  ): Promise<Finished> {
    const handle = await driver.start(this.launch(script, changes, files));
    return this.finish(driver, handle);
  }

  async finish(driver: Driver, handle: WorkerHandle): Promise<Finished> {
    const reader = new RingDrain(handle.ringPath);
    const exit = await driver.wait(handle);
    const output = reader.close();
    const outDir = join(this.dir, `out-${handle.attemptId}`);
    const outputs = await driver.collectOutputs(handle, outDir);
    await driver.destroy(handle);
    return { handle, exit, ...output, outputs, outDir };
  }

  cleanup(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Keeps reading a ring so that its writer need not drop; holds only the last MiB of each stream. */
export class RingDrain {
  readonly #ring: ReturnType<typeof openRing>;
  readonly #timer: NodeJS.Timeout;
  readonly #text = { stdout: '', stderr: '' };
  #broken = false;

  constructor(path: string) {
    this.#ring = openRing(path);
    this.#timer = setInterval(() => this.poll(), 3);
  }

  get stdout(): string {
    this.poll();
    return this.#text.stdout;
  }

  get stderr(): string {
    this.poll();
    return this.#text.stderr;
  }

  poll(): number {
    if (this.#broken) return 0;
    try {
      const records = this.#ring.poll();
      for (const record of records) {
        if (record.type !== 'stdout' && record.type !== 'stderr') continue;
        this.#text[record.type] = (this.#text[record.type] + record.data.toString('utf8')).slice(
          -1024 * 1024,
        );
      }
      return records.length;
    } catch {
      this.#broken = true; // a program scribbled over its ring
      return 0;
    }
  }

  close(): { stdout: string; stderr: string; dropped: number; ringBroken: boolean } {
    clearInterval(this.#timer);
    while (this.poll() > 0);
    const dropped = this.#ring.stats.droppedRecords;
    this.#ring.close();
    return { ...this.#text, dropped, ringBroken: this.#broken };
  }
}
