import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type RouteOutput, routes } from '@vgpu/api';
import { findEngine } from '@vgpu/drivers';
import { watchJob } from '../apps/cli/src/follow/watch-job.ts';
import { BenchServer } from './harness/bench-server.ts';
import { type Bench, less, quantile } from './result.ts';

const linesPerSecond = 10_000;

/** Prints `<milliseconds since 1970> <number>` at a steady rate, in bursts of a hundredth of a second. */
const printer = (seconds: number) => `
import sys, time
per_burst = ${linesPerSecond / 100}
start = time.time()
n = 0
for burst in range(${seconds * 100}):
    due = start + burst / 100
    wait = due - time.time()
    if wait > 0:
        time.sleep(wait)
    now = time.time() * 1000
    sys.stdout.write(''.join('%.3f %d\\n' % (now, n + i) for i in range(per_burst)))
    sys.stdout.flush()
    n += per_burst
`;

interface Arrivals {
  latencies: number[];
  lost: number;
}

type Line = RouteOutput<typeof routes.tasks.logs>['items'][number];

function collector(): { take(text: string): void; result(expected: number): Arrivals } {
  const latencies: number[] = [];
  const seen = new Set<number>();
  return {
    take(text) {
      const [printed, number] = text.split(' ').map(Number);
      if (!Number.isFinite(printed) || number === undefined || seen.has(number)) return;
      seen.add(number);
      latencies.push(Date.now() - printed!);
    },
    result: (expected) => ({ latencies, lost: expected - seen.size }),
  };
}

async function throughVgpu(server: BenchServer, script: string, seconds: number): Promise<Arrivals> {
  const { job } = JSON.parse(await server.vgpu('run', script, '--json')) as { job: string };
  const lines = collector();
  const connection = { url: server.file.url, token: server.token, origin: 'local' as const };
  const onLines = (_task: unknown, items: readonly Line[]) => {
    for (const line of items) lines.take(line.text);
  };
  await watchJob({ client: server.client, connection }, job, { onLines });
  return lines.result(seconds * linesPerSecond);
}

/** The same script in a plain container of the same image, followed by the engine's own log stream. */
async function throughEngine(
  socketPath: string,
  image: string,
  code: string,
  seconds: number,
): Promise<Arrivals> {
  const call = (method: string, path: string, body?: object) =>
    new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      const headers = { host: 'engine', 'content-type': 'application/json' };
      const asked = request({ socketPath, method, path, headers }, resolve);
      asked.on('error', reject);
      asked.end(body ? JSON.stringify(body) : undefined);
    });
  const text = async (message: import('node:http').IncomingMessage) => {
    let all = '';
    for await (const chunk of message) all += chunk;
    return all;
  };
  const created = await call('POST', '/containers/create', {
    Image: image,
    Entrypoint: ['python3', '-c', code],
    Tty: true,
    Labels: { 'dev.vgpu.managed': 'true' },
    HostConfig: { NetworkMode: 'none' },
  });
  const { Id: id } = JSON.parse(await text(created)) as { Id: string };
  try {
    await text(await call('POST', `/containers/${id}/start`));
    const lines = collector();
    const stream = await call('GET', `/containers/${id}/logs?follow=1&stdout=1`);
    for await (const line of createInterface({ input: stream })) lines.take(line.trim());
    return lines.result(seconds * linesPerSecond);
  } finally {
    await text(await call('DELETE', `/containers/${id}?force=1`));
  }
}

/** How long a printed line takes to its reader, at ten thousand lines a second. */
export const bench: Bench = async ({ quick }) => {
  const seconds = quick ? 3 : 10;
  const server = await BenchServer.start();
  try {
    const code = printer(seconds);
    const script = join(server.work, 'printer.py');
    writeFileSync(script, code);
    const { items } = await server.client.call(routes.images.list, {});
    const image = items.find((one) => one.name === 'sklearn')!;
    const { engine } = await findEngine(server.home);
    const ours = await throughVgpu(server, script, seconds);
    const peer = await throughEngine(engine!.socketPath, image.id, code, seconds);
    const name = 'the engine’s log stream';
    const row = (what: string, share: number) =>
      less(what, 'ms', Math.max(1, quantile(ours.latencies, share)), quantile(peer.latencies, share), name);
    return [
      row('log line, worker to WebSocket, p50', 0.5),
      row('log line, worker to WebSocket, p99', 0.99),
      {
        name: 'log lines lost',
        ours: ours.lost,
        peer: peer.lost,
        peerName: name,
        ratio: null,
        unit: 'lines',
      },
    ];
  } finally {
    await server.close();
  }
};
