import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LogLine } from '../types.ts';
import { LogStore } from './log-store.ts';
import { BadPattern } from './search.ts';
import { TaskLog } from './task-log.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vgpu-log-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const line = (seq: number, words = `line ${seq}`): LogLine => ({
  seq,
  time: 1_700_000_000_000 + seq,
  stream: seq % 7 === 0 ? 'stderr' : 'stdout',
  kind: seq % 11 === 0 ? 'progress' : 'log',
  text: words,
});
const lines = (from: number, to: number): LogLine[] =>
  Array.from({ length: to - from }, (_, i) => line(from + i));
const seqs = (found: LogLine[]): number[] => found.map((one) => one.seq);

test('what is appended can be read at once, after a flush, and after opening again', async () => {
  const log = await TaskLog.open(root);
  log.append(lines(0, 10));
  expect(await log.read(3, 4)).toEqual(lines(3, 7));
  await log.flush();
  log.append(lines(10, 12));
  expect(await log.read(0, 100)).toEqual(lines(0, 12));
  await log.close();
  const again = await TaskLog.open(root);
  expect([again.first, again.next]).toEqual([0, 12]);
  expect(await again.tail(5)).toEqual(lines(7, 12));
  again.append(lines(12, 14));
  expect(seqs(await again.read(11, 100))).toEqual([11, 12, 13]);
  await again.close();
});

test('any pattern of appends, flushes and reopenings reads back whole', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          fc.array(fc.string({ maxLength: 30, unit: 'grapheme' }), { maxLength: 20 }),
          fc.constantFrom('flush' as const, 'reopen' as const),
        ),
        { maxLength: 12 },
      ),
      fc.nat(60),
      fc.nat(60),
      async (actions, from, limit) => {
        rmSync(root, { recursive: true, force: true });
        let log = await TaskLog.open(root);
        const all: LogLine[] = [];
        for (const action of actions) {
          if (action === 'flush') await log.flush();
          else if (action === 'reopen') {
            await log.close();
            log = await TaskLog.open(root);
          } else {
            const more = action.map((words, i) =>
              line(all.length + i, words.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]|\p{Cs}/gu, '')),
            );
            all.push(...more);
            log.append(more);
          }
        }
        expect(await log.read(from, limit)).toEqual(all.slice(from, from + limit));
        expect(log.next).toBe(all.length);
        await log.close();
      },
    ),
    { numRuns: 60 },
  );
});

test('lines that the log has already are not doubled', async () => {
  const log = await TaskLog.open(root);
  log.append(lines(0, 10));
  await log.close();
  const again = await TaskLog.open(root);
  again.append(lines(7, 12));
  again.append(lines(5, 13));
  expect(await again.read(0, 100)).toEqual(lines(0, 13));
});

test('a torn last chunk costs only itself, and the log goes on', async () => {
  const log = await TaskLog.open(root);
  log.append(lines(0, 100));
  await log.flush();
  const file = join(root, readdirSync(root)[0]!);
  const whole = statSync(file).size;
  log.append(lines(100, 200));
  await log.close();
  const full = readFileSync(file);
  for (const cut of [whole + 1, whole + 39, whole + 60, full.length - 1]) {
    writeFileSync(file, full.subarray(0, cut));
    const torn = await TaskLog.open(root);
    expect(torn.next).toBe(100);
    torn.append(lines(100, 103));
    await torn.close();
    expect(seqs(await (await TaskLog.open(root)).tail(4))).toEqual([99, 100, 101, 102]);
  }
  // The size was on disk, the data was not.
  truncateSync(file, whole);
  appendFileSync(
    file,
    Buffer.concat([full.subarray(whole, whole + 40), Buffer.alloc(full.length - whole - 40)]),
  );
  expect((await TaskLog.open(root)).next).toBe(100);
});

test('a damaged chunk in the middle is reported as a line, the rest is read', async () => {
  const log = await TaskLog.open(root);
  for (const from of [0, 100, 200]) {
    log.append(lines(from, from + 100));
    await log.flush();
  }
  const file = join(root, readdirSync(root)[0]!);
  const bytes = readFileSync(file);
  bytes[50]! ^= 0xff;
  writeFileSync(file, bytes);
  const damaged = await (await TaskLog.open(root)).read(0, 1000);
  expect(damaged[0]!.text).toBe('[vgpu] lines 0 to 99 cannot be read from disk any more');
  expect(seqs(damaged.slice(1))).toEqual(seqs(lines(100, 300)));
});

test('beyond its size the log keeps its beginning and its end', async () => {
  const log = await TaskLog.open(root, { maxBytes: 400_000 });
  const noise = (seq: number): string =>
    Buffer.from(Array.from({ length: 60 }, (_, i) => (seq * 7919 + i * i * 31) % 251)).toString('base64');
  for (let seq = 0; seq < 60_000; seq += 1) {
    log.append([line(seq, noise(seq * 104_729))]);
    if (seq % 500 === 0) await log.flush();
  }
  await log.close();
  const size = readdirSync(root).reduce((sum, name) => sum + statSync(join(root, name)).size, 0);
  expect(size).toBeLessThanOrEqual(450_000);
  expect(seqs(await log.read(0, 3))).toEqual([0, 1, 2]);
  expect(seqs(await log.tail(2))).toEqual([59_998, 59_999]);
  const all = await log.read(0, 1e6);
  expect(all.length).toBeLessThan(60_000);
  expect(seqs(all)).toEqual([...seqs(all)].sort((a, b) => a - b));
});

test('random access in a long log opens one chunk, not all', async () => {
  const log = await TaskLog.open(root);
  const total = 200_000;
  for (let from = 0; from < total; from += 1000) log.append(lines(from, from + 1000));
  await log.close();
  const again = await TaskLog.open(root);
  expect(again.next).toBe(total);
  for (const at of [0, 1, 77_777, 123_456, total - 1])
    expect(await again.read(at, 2)).toEqual(lines(at, Math.min(total, at + 2)));
  expect(await again.read(total, 10)).toEqual([]);
});

test('search: substring, regular expression, stream, limit, and where to go on', async () => {
  const log = await TaskLog.open(root);
  log.append(lines(0, 3000));
  await log.flush();
  log.append([line(3000, 'Error: something ODD')]);
  expect(seqs((await log.search({ text: 'line 299' })).lines)).toEqual([
    299,
    ...Array.from({ length: 10 }, (_, i) => 2990 + i),
  ]);
  expect(seqs((await log.search({ text: 'odd', caseSensitive: false })).lines)).toEqual([3000]);
  expect(seqs((await log.search({ text: '^line 1\\d$', regex: true, stream: 'stderr' })).lines)).toEqual([
    14,
  ]);
  const first = await log.search({ text: 'line', limit: 5 });
  expect(seqs(first.lines)).toEqual([0, 1, 2, 3, 4]);
  expect(first.next).toBe(5);
  expect(seqs((await log.search({ text: 'line', limit: 2, from: first.next })).lines)).toEqual([5, 6]);
  expect(await log.search({ text: 'nowhere' })).toEqual({ lines: [] });
  await expect(log.search({ text: '(', regex: true })).rejects.toThrow(BadPattern);
});

test('an expression that backtracks for ever is stopped', async () => {
  const log = await TaskLog.open(root);
  log.append([line(0, `${'a'.repeat(60)}!`)]);
  await expect(log.search({ text: '^(a+)+$', regex: true })).rejects.toThrow(/too long/);
});

test('the whole log streams as text or JSON lines', async () => {
  const log = await TaskLog.open(root);
  log.append(lines(0, 3));
  expect(await text(log.stream())).toBe('line 0\nline 1\nline 2\n');
  expect(
    (await text(log.stream('jsonl')))
      .trim()
      .split('\n')
      .map((one) => JSON.parse(one)),
  ).toEqual(lines(0, 3));
});

test('a disk that cannot be written costs lines, which are counted, and nothing else', async () => {
  const log = await TaskLog.open(join(root, 'gone'));
  rmSync(root, { recursive: true });
  log.append(lines(0, 5));
  await log.flush();
  expect(log.lost).toBe(5);
  expect(await log.read(0, 10)).toEqual([]);
});

test('the store keeps tasks apart, survives a restart and refuses paths', async () => {
  const store = new LogStore(root);
  (await store.writer('task-1')).append([line(0, 'one')]);
  (await store.writer('task-2')).append([line(0, 'two')]);
  await store.finish('task-1');
  await store.close();
  const again = new LogStore(root);
  expect((await (await again.log('task-2')).tail(9))[0]!.text).toBe('two');
  await again.remove('task-2');
  expect(readdirSync(root)).toEqual(['task-1']);
  for (const bad of ['../x', '', 'a/b', '..', '.x']) expect(() => again.log(bad)).toThrow(RangeError);
});
