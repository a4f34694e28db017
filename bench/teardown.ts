import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Bench, type BenchResult, less, quantile } from './result.ts';
import { type BenchEngineOptions, benchDriver } from './start.ts';

const exec = promisify(execFile);
/** Published figure of the earlier v-gpu project: a container is gone within 1.8 s of its task's end. */
const PUBLISHED_MS = 1800;

/**
 * Teardown: from the moment that a task's program ended to the moment that container, memory, mounts and folders
 * are gone; 20 workers whose tasks all end in the same instant, the hardest case. Beside it, `docker rm -f` of as
 * many plain containers at once.
 */
export async function benchTeardown(options: BenchEngineOptions = {}): Promise<BenchResult[]> {
  const workers = 20;
  const rounds = options.quick ? 1 : 5;
  const bench = await benchDriver(options);
  const ours: number[] = [];
  const peer: number[] = [];
  try {
    for (let round_ = 0; round_ < rounds; round_++) {
      ours.push(...(await endTogether(bench, workers, round_)));
      peer.push(...(await removePlain(bench.socketPath, bench.image, workers)));
    }
  } finally {
    await bench.close();
  }
  const p99 = quantile(ours, 0.99);
  const [p50, plain50] = [quantile(ours, 0.5), quantile(peer, 0.5)];
  const alone = 'docker rm -f, 20 at once';
  return [
    less('teardown p99, 20 workers at once', 'ms', p99, PUBLISHED_MS, 'published v-gpu figure'),
    less('teardown p50, 20 workers at once', 'ms', p50, plain50, alone),
    less('teardown p99, against the engine alone', 'ms', p99, quantile(peer, 0.99), alone),
  ];
}

async function endTogether(
  bench: Awaited<ReturnType<typeof benchDriver>>,
  workers: number,
  round_: number,
): Promise<number[]> {
  const handles = [];
  // All end at one clock time, well after the last has started.
  const script = 'import sys, time\nend = float(sys.argv[1])\ntime.sleep(max(0, end - time.time()))\n';
  const end = Date.now() / 1000 + 12;
  for (let n = 0; n < workers; n++) {
    const launch = bench.launch(round_ * workers + n, script);
    handles.push(
      await bench.driver.start({
        ...launch,
        cpuMilli: 500,
        memoryBytes: 64 * 1024 * 1024,
        command: { kind: 'python', script: 'main.py', args: [String(end)] },
      }),
    );
  }
  return Promise.all(
    handles.map(async (handle) => {
      const exit = await bench.driver.wait(handle);
      await bench.driver.destroy(handle);
      const endedAt = handle.startedAt + exit.timings.start + exit.timings.run;
      return Date.now() - endedAt;
    }),
  );
}

async function removePlain(socketPath: string, image: string, count: number): Promise<number[]> {
  const docker = (...args: string[]) => exec('docker', ['-H', `unix://${socketPath}`, ...args]);
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    const { stdout } = await docker(
      'run',
      '-d',
      '--label',
      'dev.vgpu.managed=true',
      '--network',
      'none',
      '-m',
      '64m',
      image,
      'sleep',
      '60',
    );
    ids.push(stdout.trim());
  }
  return Promise.all(
    ids.map(async (id) => {
      const from = performance.now();
      await docker('rm', '-f', id);
      return performance.now() - from;
    }),
  );
}

export const bench: Bench = ({ quick }) => benchTeardown({ quick });
