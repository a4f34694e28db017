import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { routes } from '@vgpu/api';
import { uploadScript } from '../apps/cli/src/bundle/upload.ts';
import { BenchServer } from './harness/bench-server.ts';
import { type Bench, more, quantile } from './result.ts';

const inFlight = 64;

/** Runs `work` for each of `count` numbers, so many at once. @returns milliseconds of each. */
async function pooled(count: number, work: (i: number) => Promise<unknown>): Promise<number[]> {
  const taken: number[] = [];
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const i = next++;
      const startedAt = performance.now();
      await work(i);
      taken.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return taken;
}

/** Rows of the size of a job, one durable commit each: what a server without group commit could acknowledge. */
function oneCommitEach(folder: string, count: number): number {
  const path = join(folder, 'peer.db');
  const database = new DatabaseSync(path);
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE job (id TEXT PRIMARY KEY, spec TEXT)',
  );
  const insert = database.prepare('INSERT INTO job VALUES (?, ?)');
  const spec = JSON.stringify({ filler: 'x'.repeat(900) });
  const startedAt = performance.now();
  for (let i = 0; i < count; i++) insert.run(`job_${i}`, spec);
  const seconds = (performance.now() - startedAt) / 1000;
  database.close();
  rmSync(path);
  return count / seconds;
}

/** Jobs that the API acknowledges per second, each on disk when it is. They wait for a core count nobody has free. */
export const bench: Bench = async ({ quick }) => {
  const server = await BenchServer.start({ VGPU_WARM: '0' });
  try {
    const script = join(server.work, 'nothing.py');
    writeFileSync(script, 'import time\ntime.sleep(3600)\n');
    const { client } = server;
    const { hash } = await uploadScript(client, script);
    const { cpu } = await client.call(routes.machine.capacity, {});
    const cores = String(cpu.total / 1000);
    const spec = { script: 'nothing.py', resources: { cpu: cores } };
    const body = { spec, bundle: hash };
    const submit = () => client.call(routes.jobs.submit, { body }, { idempotencyKey: crypto.randomUUID() });
    await pooled(inFlight, submit);
    const count = quick ? 500 : 3000;
    const startedAt = performance.now();
    const latencies = await pooled(count, submit);
    const rate = (1000 * count) / (performance.now() - startedAt);
    const peer = oneCommitEach(server.work, quick ? 500 : 2000);
    const p99 = {
      name: 'submission, p99 with 64 in flight',
      ours: Math.round(quantile(latencies, 0.99)),
      unit: 'ms',
    };
    return [
      more(
        'durable submissions through the API',
        'jobs/s',
        rate,
        peer,
        'SQLite alone, one commit each, no HTTP',
      ),
      { ...p99, peer: null, peerName: '', ratio: null },
    ];
  } finally {
    await server.close();
  }
};
