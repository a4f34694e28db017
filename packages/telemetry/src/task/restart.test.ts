import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TaskLog } from '../log/task-log.ts';
import { runtime } from '../python/scientific-python.ts';
import { createRing } from '../ring/create.ts';
import { openRing, type RingReader } from '../ring/reader.ts';
import { TaskTelemetry } from './task-telemetry.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vgpu-restart-'));
  path = join(folder, 'ring');
  createRing(path);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Prints lines `from` to `to`, and reports an mse, with the real writer. */
function worker(from: number, to: number): void {
  const code = `
import sys, vgpu_ring as r
ring = r.RingWriter.open(sys.argv[1])
for i in range(${from}, ${to}): ring.write(r.STDOUT, b'line %d\\n' % i)
ring.event({'type': 'report', 'task': 'regression', 'scores': {'mse': ${to}}})`;
  const env = { ...process.env, PYTHONPATH: runtime, PYTHONDONTWRITEBYTECODE: '1' };
  expect(spawnSync('python3', ['-c', code, path], { env }).status).toBe(0);
}

/** A server's start: the log as it is on disk, the ring from what was committed. */
async function server(): Promise<{ log: TaskLog; ring: RingReader; task: TaskTelemetry; read: () => void }> {
  const log = await TaskLog.open(join(folder, 'log'));
  const ring = openRing(path, { commit: 'manual' });
  const task = new TaskTelemetry({ log, firstSeq: Math.min(ring.mark, log.next) });
  const read = (): void => {
    for (let records = ring.poll(); records.length > 0; records = ring.poll()) task.records(records);
  };
  return { log, ring, task, read };
}

test.each([true, false])(
  'a server killed after reading loses and doubles nothing (lines on disk: %s)',
  async (kept) => {
    worker(0, 500);
    const first = await server();
    first.read();
    await first.log.flush();
    first.ring.commit(first.ring.position, first.task.snapshot().lines);
    worker(500, 900);
    first.read();
    if (kept) await first.log.flush();
    first.ring.close(); // killed: metrics since the commit are in no database

    const second = await server();
    second.read();
    worker(900, 1000);
    second.read();
    second.task.end();
    await second.log.flush();
    const lines = await second.log.read(0, 10_000);
    expect(lines.map((line) => line.text)).toEqual(Array.from({ length: 1000 }, (_, i) => `line ${i}`));
    expect(second.task.snapshot().metrics.mse!.value).toBe(1000);
    second.ring.close();
  },
);
