import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import * as tar from 'tar-stream';
import { afterAll, expect, test } from 'vitest';
import { RootTree } from './root-tree.ts';

const dir = mkdtempSync(join(tmpdir(), 'vgpu-tree-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
let count = 0;
const scratch = () => join(dir, String(count++));
const MTIME = new Date('2026-01-01T00:00:00Z');

test('a layer depends on its files, not on the order or modes in which they came', async () => {
  const entry = fc.record({
    path: fc.stringMatching(/^([a-z]{1,3}\/){0,3}f[a-z0-9]{1,8}$/),
    text: fc.string(),
    executable: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(entry, { selector: (e) => e.path, maxLength: 12 }), async (entries) => {
      const write = async (order: typeof entries, noise: number) => {
        const tree = new RootTree(scratch());
        for (const e of order)
          await tree.file(`./${e.path}`, (e.executable ? 0o700 : 0o600) | noise, 'l', Buffer.from(e.text));
        return (await tree.writeLayer('l', MTIME, scratch())).sha256;
      };
      expect(await write(entries, 0)).toBe(await write([...entries].reverse(), 0o4));
    }),
    { numRuns: 25 },
  );
});

test('root owns everything, set-uid bits and ballast go, merged folders are followed', async () => {
  const tree = new RootTree(scratch());
  await tree.file('./lib/x86_64-linux-gnu/libc.so.6', 0o755, 'l', Buffer.from('elf'));
  await tree.file('usr/bin/su', 0o4755, 'l', Buffer.from('su'));
  await tree.file('usr/share/doc/su/README.gz', 0o644, 'l', Buffer.from('x'));
  await tree.file('usr/share/doc/su/copyright', 0o644, 'l', Buffer.from('licence'));
  await tree.symlink('usr/bin/sh', '/usr/bin/dash', 'l');
  const target = scratch();
  await tree.writeLayer('l', MTIME, target);
  const headers: Record<string, tar.Header> = {};
  const extract = tar.extract();
  extract.end(readFileSync(target));
  for await (const e of extract) {
    headers[e.header.name] = e.header;
    e.resume();
  }
  expect(Object.keys(headers).filter((n) => !n.endsWith('/'))).toEqual([
    'usr/bin/sh',
    'usr/bin/su',
    'usr/lib/x86_64-linux-gnu/libc.so.6',
    'usr/share/doc/su/copyright',
  ]);
  expect(headers['usr/bin/su']).toMatchObject({ mode: 0o755, uid: 0, gid: 0, mtime: MTIME });
  expect(headers['usr/bin/sh']).toMatchObject({ type: 'symlink', linkname: '/usr/bin/dash' });
});

test('a path that leaves the image is refused', async () => {
  const tree = new RootTree(scratch());
  await expect(tree.file('../../etc/passwd', 0o644, 'l', Buffer.from(''))).rejects.toThrow(
    'leaves the image',
  );
});
