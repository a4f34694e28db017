import { spawn, spawnSync } from 'node:child_process';
import {
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRing } from './create.ts';
import { HEADER_SIZE, MIN_CAPACITY, OFFSET } from './layout.ts';
import { RingPoller } from './poller.ts';
import { openRing } from './reader.ts';
import { RingCorrupted, type RingRecord } from './record.ts';

const runtime = new URL('../../../../worker/runtime', import.meta.url).pathname;
let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vgpu-ring-'));
  path = join(folder, 'ring');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const prelude = 'import sys, os, json\nimport vgpu_ring as r\nring = r.RingWriter.open(sys.argv[1])\n';
const env = { ...process.env, PYTHONPATH: runtime, PYTHONDONTWRITEBYTECODE: '1' };
/** Runs the real writer. */
function python(code: string, input = ''): string {
  const run = spawnSync('python3', ['-c', prelude + code, path], { input, env, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
  return run.stdout;
}
const drain = (reader: ReturnType<typeof openRing>): RingRecord[] => {
  const all: RingRecord[] = [];
  for (let got = reader.poll(); got.length > 0; got = reader.poll()) all.push(...got);
  return all;
};
const bytes = (records: RingRecord[], type: string): string =>
  records.map((record) => ('data' in record && record.type === type ? record.data.toString() : '')).join('');

test('records of every type come out as the Python writer put them', () => {
  createRing(path, { capacity: MIN_CAPACITY });
  python(`
ring.control({'event': 'started', 'pid': 7})
ring.write(r.STDOUT, b'hello\\n', 1_700_000_000_123_000_000)
ring.write(r.STDERR, b'\\xff\\n')
ring.event({'type': 'metric', 'metrics': {'mse': 0.5}})
ring.write(r.STDOUT, b'')
ring.close()`);
  const reader = openRing(path);
  const records = drain(reader);
  expect(records.map((record) => record.type)).toEqual(['control', 'stdout', 'stderr', 'event', 'stdout']);
  expect(records[1]).toMatchObject({ time: 1_700_000_000_123, data: Buffer.from('hello\n') });
  expect(bytes(records, 'event')).toBe('{"type":"metric","metrics":{"mse":0.5}}\n');
  expect(reader.stats).toMatchObject({ records: 5, droppedRecords: 0, closed: true });
  expect(reader.ended).toBe(true);
  reader.close();
});

test('any sequence of sizes survives many turns round the ring', () => {
  const sizes = fc.sample(fc.integer({ min: 0, max: 40_000 }), { numRuns: 120, seed: 7 });
  createRing(path, { capacity: MIN_CAPACITY });
  const reader = openRing(path);
  const seen: string[] = [];
  // The writer asks for a drain (a line on its stdout) whenever the next record would not fit.
  const script = `
import hashlib
for i, n in enumerate(json.loads(sys.argv[2])):
    data = hashlib.sha256(str(i).encode()).digest() * (n // 32 + 1)
    while ring._room(r.STDOUT) < n:
        pass
    assert ring.write(r.STDOUT, data[:n])
ring.close()
`;
  const child = spawn('python3', ['-c', prelude + script, path, JSON.stringify(sizes)], {
    env,
    stdio: 'inherit',
  });
  return new Promise<void>((resolve, reject) => {
    const poller = new RingPoller();
    poller.add(reader, {
      records: (records) => {
        for (const record of records) if ('data' in record) seen.push(`${record.data.length}`);
      },
      end: (error) => {
        try {
          expect(error).toBeUndefined();
          expect(seen).toEqual(sizes.map(String));
          expect(poller.size).toBe(0);
          resolve();
        } catch (problem) {
          reject(problem);
        }
      },
    });
    child.on('error', reject);
  });
});

test('a full ring drops, counts, marks the gap, and still takes control records', () => {
  createRing(path, { capacity: MIN_CAPACITY });
  const reader = openRing(path);
  const code = `
for i in range(100): ring.write(r.STDOUT, b'x' * 9999 + b'\\n')
assert ring.control({'event': 'exit', 'code': 0, 'signal': None})
sys.stdout.write(json.dumps(ring.dropped)); sys.stdout.flush()
sys.stdin.readline()
ring.write(r.STDOUT, b'after\\n')
ring.close()
`;
  const child = spawn('python3', ['-c', prelude + code, path], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  return new Promise<void>((resolve, reject) => {
    let records: RingRecord[] = [];
    child.stdout.on('data', (text) => {
      const [count, size] = JSON.parse(String(text));
      records = drain(reader);
      const kept = records.filter((record) => record.type === 'stdout').length;
      try {
        expect(kept).toBeGreaterThan(10);
        expect(count).toBe(100 - kept);
        expect(size).toBe(count * 10_000);
        expect(records.slice(-2)).toMatchObject([
          { type: 'dropped', records: count, bytes: size },
          { type: 'control' },
        ]);
      } catch (problem) {
        reject(problem);
      }
      child.stdin.end('\n');
    });
    child.on('close', () => {
      try {
        expect(drain(reader).map((record) => record.type)).toEqual(['stdout']);
        resolve();
      } catch (problem) {
        reject(problem);
      }
    });
  });
});

test('pipes are drained whole and in order, across the wrap', () => {
  createRing(path, { capacity: MIN_CAPACITY });
  const reader = openRing(path);
  const code = `
import subprocess
child = subprocess.Popen([sys.executable, '-c', "import sys\\nfor i in range(60000): print('line', i)\\nprint('last', file=sys.stderr)"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
import select
streams = {child.stdout.fileno(): r.STDOUT, child.stderr.fileno(): r.STDERR}
while streams:
    while ring._room(r.STDOUT) < r.CHUNK: pass
    for fd in select.select(list(streams), [], [])[0][:1]:
        if ring.drain(fd, streams[fd]) == 0: del streams[fd]
ring.close()
`;
  spawn('python3', ['-c', prelude + code, path], { env, stdio: 'inherit' });
  return new Promise<void>((resolve, reject) => {
    let records: RingRecord[] = [];
    new RingPoller().add(reader, {
      records: (more) => {
        records = records.concat(more);
      },
      end: (error) => {
        try {
          expect(error).toBeUndefined();
          expect(bytes(records, 'stdout')).toBe(
            Array.from({ length: 60_000 }, (_, i) => `line ${i}\n`).join(''),
          );
          expect(bytes(records, 'stderr')).toBe('last\n');
          expect(reader.stats.droppedRecords).toBe(0);
          resolve();
        } catch (problem) {
          reject(problem);
        }
      },
    });
  });
});

test('stopping a followed ring takes what a killed worker left in it', async () => {
  python(`ring.write(r.STDOUT, b'last words\\n')`); // never closed, created by the writer itself
  const poller = new RingPoller();
  const records: RingRecord[] = [];
  const stop = poller.add(openRing(path), { records: (more) => records.push(...more), end: () => {} });
  stop();
  expect(bytes(records, 'stdout')).toBe('last words\n');
  expect(poller.size).toBe(0);
});

test('a reader that comes back goes on where the last one stopped', () => {
  createRing(path);
  python(`ring.write(r.STDOUT, b'one')`);
  const first = openRing(path);
  expect(bytes(drain(first), 'stdout')).toBe('one');
  first.close();
  python(`ring.write(r.STDOUT, b'two')`);
  expect(bytes(drain(openRing(path)), 'stdout')).toBe('two');
});

test('with manual commits a reader that comes back gets again what was not committed', () => {
  createRing(path, { capacity: MIN_CAPACITY });
  python(`
for word in (b'one', b'two', b'three'): ring.write(r.STDOUT, word)`);
  const first = openRing(path, { commit: 'manual' });
  expect(bytes(drain(first), 'stdout')).toBe('onetwothree');
  first.close(); // killed before it could keep anything
  const second = openRing(path, { commit: 'manual' });
  expect(second.mark).toBe(0);
  second.commit(second.position, 40);
  expect(openRing(path).mark).toBe(40);
  expect(bytes(drain(second), 'stdout')).toBe('onetwothree');
  second.commit(second.position, 3);
  python(`ring.write(r.STDOUT, b'four')`);
  expect(bytes(drain(second), 'stdout')).toBe('four');
  second.close();
  const third = openRing(path, { commit: 'manual' });
  expect(third.mark).toBe(3);
  expect(bytes(drain(third), 'stdout')).toBe('four');
});

test('records that are not committed keep their space, but never more than half the ring', () => {
  createRing(path, { capacity: MIN_CAPACITY });
  const reader = openRing(path, { commit: 'manual' });
  python(`ring.write(r.STDOUT, b'x' * 100000)`);
  drain(reader);
  const room = (): number => Number(python('print(ring._room(r.STDOUT))'));
  expect(room()).toBeLessThan(MIN_CAPACITY - 64 * 1024 - 100_000);
  python(`ring.write(r.STDOUT, b'x' * 40000)`);
  drain(reader);
  expect(room()).toBeGreaterThan(MIN_CAPACITY - 64 * 1024 - 1000);
});

test('what is no ring is refused with a typed error', () => {
  writeFileSync(path, 'short');
  expect(() => openRing(path)).toThrow(RingCorrupted);
  writeFileSync(path, Buffer.alloc(HEADER_SIZE + MIN_CAPACITY));
  expect(() => openRing(path)).toThrow(/no magic/);
  const link = join(folder, 'link');
  symlinkSync(path, link);
  expect(() => openRing(link)).toThrow(/ELOOP/);
  spawnSync('mkfifo', [join(folder, 'fifo')]);
  expect(() => openRing(join(folder, 'fifo'))).toThrow(RingCorrupted);
});

test('a ring that its worker scribbles over ends in a typed error or plain records, never in a crash', () => {
  createRing(path, { capacity: MIN_CAPACITY });
  python(`
for i in range(300): ring.write(1 + i % 4, os.urandom(i * 7 % 900))`);
  const good = readFileSync(path);
  const scribble = fc.record({
    at: fc.oneof(
      fc.constantFrom(...Object.values(OFFSET)),
      fc.integer({ min: 0, max: HEADER_SIZE + 20_000 }),
    ),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 16 }),
  });
  fc.assert(
    fc.property(fc.array(scribble, { minLength: 1, maxLength: 5 }), (edits) => {
      const bad = Buffer.from(good);
      for (const edit of edits) Buffer.from(edit.bytes).copy(bad, edit.at);
      writeFileSync(path, bad);
      try {
        const reader = openRing(path);
        try {
          for (let turn = 0; turn < 20; turn += 1)
            for (const record of reader.poll())
              if ('data' in record) expect(record.data.length).toBeLessThanOrEqual(MIN_CAPACITY);
        } finally {
          reader.close();
        }
      } catch (error) {
        expect(error).toBeInstanceOf(RingCorrupted);
      }
    }),
    { numRuns: 300 },
  );
});

test('truncating the file under the reader is a typed error', () => {
  createRing(path, { capacity: MIN_CAPACITY });
  const reader = openRing(path);
  python(`ring.write(r.STDOUT, b'x' * 9000)`);
  truncateSync(path, HEADER_SIZE + 100);
  expect(() => reader.poll()).toThrow(RingCorrupted);
});

test('a head that ran away is a typed error, and the poller reports it and goes on', async () => {
  createRing(path, { capacity: MIN_CAPACITY });
  const reader = openRing(path);
  const fd = openSync(path, 'r+');
  const words = Buffer.alloc(16);
  words.writeBigUInt64LE(1n << 60n, 0);
  words.writeBigUInt64LE((1n << 60n) ^ 0x9e3779b97f4a7c15n, 8);
  writeSync(fd, words, 0, 16, OFFSET.head);
  const poller = new RingPoller();
  const error = await new Promise((resolve) => poller.add(reader, { records: () => {}, end: resolve }));
  expect(error).toBeInstanceOf(RingCorrupted);
  expect(poller.size).toBe(0);
});

test('records larger than what one poll takes come through', () => {
  createRing(path, { capacity: 1024 * 1024 });
  python(`
for n in (131072, 65536, 100000, 131072, 10): assert ring.write(r.STDOUT, b'z' * n)
assert not ring.write(r.STDOUT, b'z' * 131073)`);
  const reader = openRing(path);
  const sizes = drain(reader).map((record) => ('data' in record ? record.data.length : -1));
  expect(sizes).toEqual([131_072, 65_536, 100_000, 131_072, 10]);
  expect(reader.stats.droppedRecords).toBe(1);
});
