import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { mountsUnder, mountTmpfs, resizeTmpfs, unmount } from './tmpfs.ts';

const dir = mkdtempSync(join(tmpdir(), 'vgpu tmpfs-'));
const point = join(dir, 'mounted');
mkdirSync(point);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const root = process.getuid?.() === 0;
if (!root) console.warn('skipped: file systems in memory (mounting takes root)');

describe.skipIf(!root)('a file system in memory', () => {
  test('holds its bounds, takes new ones that fit, and is gone when unmounted, in use or not', async () => {
    mountTmpfs('vgpu-test', point, { bytes: 65_536, inodes: 4, owner: { uid: 10_001, gid: 10_001 } });
    const shown = () => readFileSync('/proc/self/mounts', 'utf8').match(/^vgpu-test .*$/m)?.[0];
    expect(shown()).toMatch(/ tmpfs .*nosuid,nodev.*size=64k,nr_inodes=4,mode=755,uid=10001,gid=10001/);
    expect(shown()).not.toContain('noexec');
    expect(mountsUnder(dir)).toEqual([point]); // the space in its name is escaped in /proc/mounts
    expect(() => writeFileSync(join(point, 'big'), Buffer.alloc(70_000))).toThrow('ENOSPC');
    resizeTmpfs(point, { bytes: 131_072, inodes: 4 });
    expect(shown()).toMatch(/nosuid,nodev.*size=128k/);
    writeFileSync(join(point, 'big'), Buffer.alloc(70_000));
    expect(() => resizeTmpfs(point, { bytes: 65_536, inodes: 4 })).toThrow('EINVAL');
    for (const name of ['a', 'b']) writeFileSync(join(point, name), '');
    expect(() => writeFileSync(join(point, 'c'), '')).toThrow('ENOSPC');

    openSync(join(point, 'big'), 'r'); // held open by somebody
    expect(await unmount(point)).toBe(true);
    expect(existsSync(join(point, 'big'))).toBe(false);
    expect(mountsUnder(dir)).toEqual([]);
    expect(await unmount(point)).toBe(false);
  });

  test('that cannot be mounted says where and why', () => {
    const nowhere = join(dir, 'nowhere');
    const attempt = () => mountTmpfs('vgpu-test', nowhere, { bytes: 4096, inodes: 2 });
    expect(attempt).toThrow(expect.objectContaining({ code: 'ENOENT', syscall: 'mount', path: nowhere }));
  });
});
