import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Bench, type BenchResult, less, quantile } from './result.ts';
import { type BenchEngineOptions, benchDriver } from './start.ts';

const exec = promisify(execFile);
/** Published figure of the earlier v-gpu project: a container is gone within 1.8 s of its task's end. */
const PUBLISHED_MS = 1800;
/** Time between the ends of tasks that end one after another. */
const APART_MS = 250;

/**
 * Teardown: from the moment that a task's program ended to the moment that container, memory, mounts and folders
 * are gone. Once with 20 workers whose tasks end one after another, as tasks mostly do, and once with 20 whose tasks
 * all end in the same instant, the hardest case; beside that one, `docker rm -f` of as many plain containers at once.
 */
export async function benchTeardown(options: BenchEngineOptions = {}): Promise<BenchResult[]> {
  const workers = 20;
  const rounds = options.quick ? 1 : 5;
  const bench = await benchDriver(options);
  const ours: number[] = [];
  const inTurn: number[] = [];
  const peer: number[] = [];
  try {
    for (let round_ = 0; round_ < rounds; round_++) {
      inTurn.push(...(await endApart(bench, workers, 2 * round_, APART_MS)));
      ours.push(...(await endApart(bench, workers, 2 * round_ + 1, 0)));
      peer.push(...(await removePlain(bench.socketPath, bench.image, workers)));
    }
  } finally {
    await bench.close();
  }
  const p99 = quantile(ours, 0.99);
  const [p50, plain50] = [quantile(ours, 0.5), quantile(peer, 0.5)];
  const alone = 'docker rm -f, 20 at once';
  return [
    less(
      `teardown p99, 20 workers, ${APART_MS} ms apart`,
      'ms',
      quantile(inTurn, 0.99),
      PUBLISHED_MS,
      'published v-gpu figure',
    ),
    less('teardown p99, 20 workers at once', 'ms', p99, PUBLISHED_MS, 'published v-gpu figure'),
    less('teardown p50, 20 workers at once', 'ms', p50, plain50, alone),
    less('teardown p99, against the engine alone', 'ms', p99, quantile(peer, 0.99), alone),
  ];
}

/** Starts all, lets them end one by one, and tears each down as it ends. @param apartMs between ends; 0 for one instant */
async function endApart(
  bench: Awaited<ReturnType<typeof benchDriver>>,
  workers: number,
  round_: number,
  apartMs: number,
): Promise<number[]> {
  const handles = [];
  // They end by the clock, the first well after the last has started.
  const script = 'import sys, time\nend = float(sys.argv[1])\ntime.sleep(max(0, end - time.time()))\n';
  const end = Date.now() + 12_000;
  for (let n = 0; n < workers; n++) {
    const launch = bench.launch(round_ * workers + n, script);
    handles.push(
      await bench.driver.start({
        ...launch,
        cpuMilli: 500,
        memoryBytes: 64 * 1024 * 1024,
        command: { kind: 'python', script: 'main.py', args: [String((end + n * apartMs) / 1000)] },
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
