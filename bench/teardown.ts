import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Bench, BenchResult } from './result.ts';
import { type BenchEngineOptions, benchDriver, quantile, round } from './start.ts';

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
  const [p50, plain] = [quantile(ours, 0.5), quantile(peer, 0.99)];
  return [
    {
      name: 'teardown p99, 20 workers at once',
      ours: round(p99),
      peer: PUBLISHED_MS,
      peerName: 'published v-gpu figure',
      ratio: round(PUBLISHED_MS / p99),
      unit: 'ms',
    },
    {
      name: 'teardown p50, 20 workers at once',
      ours: round(p50),
      peer: round(quantile(peer, 0.5)),
      peerName: 'docker rm -f, 20 at once',
      ratio: round(quantile(peer, 0.5) / p50),
      unit: 'ms',
    },
    {
      name: 'teardown p99, against the engine alone',
      ours: round(p99),
      peer: round(plain),
      peerName: 'docker rm -f, 20 at once',
      ratio: round(plain / p99),
      unit: 'ms',
    },
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
