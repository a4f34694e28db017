import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DockerDriver, EngineClient, ImageStore, type TaskLaunch } from '@vgpu/drivers';
import { openRing } from '@vgpu/telemetry';
import { benchEngine } from './harness/bench-engine.ts';
import { type Bench, type BenchResult, less, quantile } from './result.ts';

const exec = promisify(execFile);

export interface BenchEngineOptions {
  quick?: boolean;
  /** Engine's socket; default: the engine that vgpu would use. */
  socketPath?: string;
  /** Where downloads and layers are kept; default: a folder of the benchmark's own. */
  cacheDir?: string;
}

const IMPORTS = 'import numpy, pandas, sklearn.ensemble, sklearn.model_selection';
const SCRIPT = `${IMPORTS}\nprint('first line', flush=True)\n`;

/** An engine with the standard image, a driver over a fresh home, and what to call at the end. */
export async function benchDriver(options: BenchEngineOptions) {
  const dir = mkdtempSync(join(tmpdir(), 'vgpu-bench-'));
  const home = join(dir, 'home');
  mkdirSync(home);
  const socketPath = options.socketPath ?? (await benchEngine());
  const client = new EngineClient(socketPath);
  const { image } = await new ImageStore(client).build('sklearn', {
    cacheDir: options.cacheDir ?? join(dir, 'cache'),
  });
  await client.close();
  const driver = await DockerDriver.open({ socketPath, home });
  const launch = (n: number, script: string): TaskLaunch => {
    const bundleDir = join(dir, `bundle-${n}`);
    mkdirSync(bundleDir, { recursive: true });
    writeFileSync(join(bundleDir, 'main.py'), script);
    return {
      attemptId: `bench${n}`,
      taskId: `task${n}`,
      jobId: 'bench',
      project: 'bench',
      workerName: `vgpu-worker-${String(n).padStart(2, '0')}`,
      image,
      command: { kind: 'python', script: 'main.py', args: [] },
      bundleDir,
      env: {},
      secrets: [],
      cpuMilli: 1000,
      memoryBytes: 512 * 1024 * 1024,
      network: 'none',
      ports: [],
    };
  };
  const close = async () => {
    await driver.configurePool({ image: '', size: 0, memoryBudgetBytes: 0 });
    await driver.purge();
    await driver.close();
    rmSync(dir, { recursive: true, force: true });
  };
  return { driver, launch, image, socketPath, close };
}

/**
 * Task start, scikit-learn imported: from asking for the task to the first line that its script prints, in a warm
 * worker, against `docker run` of the same image and imports. Runs of both alternate.
 */
export async function benchStart(options: BenchEngineOptions = {}): Promise<BenchResult[]> {
  const bench = await benchDriver(options);
  const ours: number[] = [];
  const cold: number[] = [];
  const peer: number[] = [];
  try {
    await bench.driver.configurePool({ image: bench.image, size: 2, memoryBudgetBytes: 1024 ** 3 });
    for (let n = 0; n < (options.quick ? 5 : 20); n++) {
      while (bench.driver.poolStatus().ready < 2) await new Promise((resolve) => setTimeout(resolve, 20));
      ours.push(await firstLine(bench, bench.launch(n * 2, SCRIPT)));
      while (bench.driver.poolStatus().ready < 2) await new Promise((resolve) => setTimeout(resolve, 20));
      peer.push(await dockerRun(bench.socketPath, bench.image));
      // A different environment for Python itself: never served by the pool's already started one.
      if (n < 5)
        cold.push(
          await firstLine(bench, {
            ...bench.launch(n * 2 + 1, SCRIPT),
            network: 'none',
            command: { kind: 'exec', argv: ['python3', '/vgpu/in/bundle/main.py'] },
          }),
        );
    }
  } finally {
    await bench.close();
  }
  const row = (name: string, mine: number[], p: number): BenchResult =>
    less(name, 'ms', quantile(mine, p), quantile(peer, p), 'docker run + the same imports');
  return [
    row('warm task start, p50', ours, 0.5),
    row('warm task start, p95', ours, 0.95),
    row('cold task start, p50', cold, 0.5),
  ];
}

type DriverBench = Awaited<ReturnType<typeof benchDriver>>;

/** Milliseconds from the call to the first line, by the time that its record carries. */
async function firstLine(bench: DriverBench, launch: TaskLaunch): Promise<number> {
  const asked = performance.timeOrigin + performance.now();
  const handle = await bench.driver.start(launch);
  const ring = openRing(handle.ringPath);
  try {
    for (;;) {
      const record = ring.poll().find((r) => r.type === 'stdout');
      if (record) return record.time - asked;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  } finally {
    ring.close();
    await bench.driver.destroy(handle);
  }
}

async function dockerRun(socketPath: string, image: string): Promise<number> {
  const from = performance.now();
  const flags = [
    '--rm',
    '--label',
    'dev.vgpu.managed=true',
    '--network',
    'none',
    '--read-only',
    '--tmpfs',
    '/tmp',
    '-m',
    '512m',
  ];
  await exec('docker', [
    '-H',
    `unix://${socketPath}`,
    'run',
    ...flags,
    image,
    'sh',
    '-c',
    `python3 -c "${IMPORTS}; print('first line', flush=True)"; true`,
  ]);
  return performance.now() - from;
}

export const bench: Bench = ({ quick }) => benchStart({ quick });
