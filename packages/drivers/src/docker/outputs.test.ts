import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { collectTree } from './outputs.ts';

const work = mkdtempSync(join(tmpdir(), 'vgpu-outputs-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

let round = 0;
let out: string;
let into: string;
beforeEach(() => {
  out = join(work, `out-${++round}`);
  into = join(work, `into-${round}`);
  mkdirSync(out);
});

const limits = { bytes: 1000, files: 10 };
const nothing = { files: [], bytes: 0, skipped: [], skippedTotal: 0, truncated: false };

test('a folder with nothing but the links to the bundle holds nothing', async () => {
  expect(await collectTree(out, into, limits)).toEqual(nothing);
  for (let n = 0; n < 150; n++) symlinkSync(`/vgpu/in/bundle/${n}.py`, join(out, `${n}.py`));
  expect(await collectTree(out, into, limits)).toEqual(nothing);
  expect(existsSync(into)).toBe(true);
});

test('files beside those links are kept with their hashes; whatever else is there is told, never followed', async () => {
  symlinkSync('/vgpu/in/bundle/main.py', join(out, 'main.py'));
  symlinkSync('/etc/passwd', join(out, 'passwd'));
  execFileSync('mkfifo', [join(out, 'pipe')]);
  mkdirSync(join(out, 'models'));
  writeFileSync(join(out, 'models', 'm.bin'), 'abc');
  const kept = await collectTree(out, into, limits);
  expect(kept.files).toEqual([
    {
      path: 'models/m.bin',
      bytes: 3,
      sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    },
  ]);
  expect(readFileSync(join(into, 'models/m.bin'), 'utf8')).toBe('abc');
  expect(kept.skipped.sort((a, b) => (a.path < b.path ? -1 : 1))).toEqual([
    { path: 'passwd', why: 'a link' },
    { path: 'pipe', why: 'a FIFO' },
  ]);
});

test('one link elsewhere is enough to be looked at closely', async () => {
  symlinkSync('/vgpu/in/../../etc/passwd', join(out, 'close'));
  symlinkSync('/etc/shadow', join(out, 'far'));
  expect((await collectTree(out, into, limits)).skipped).toEqual([{ path: 'far', why: 'a link' }]);
});

test('bounds hold: bytes, files', async () => {
  for (let n = 0; n < 12; n++) writeFileSync(join(out, `f${n}`), 'x');
  const many = await collectTree(out, into, limits);
  expect(many).toMatchObject({ truncated: true, bytes: 10 });
  expect(many.files).toHaveLength(10);
  const big = join(work, 'big');
  mkdirSync(big);
  writeFileSync(join(big, 'f'), Buffer.alloc(1001));
  expect(await collectTree(big, join(work, 'big-into'), limits)).toMatchObject({
    truncated: true,
    files: [],
  });
});
