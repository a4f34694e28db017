import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mountsUnder, mountTmpfs, unmount } from '@vgpu/drivers';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { removeStaleRoots } from './stale-roots.ts';

const work = mkdtempSync(join(tmpdir(), 'vgpu-roots-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

function home(name: string, id: string): string {
  const path = join(work, name);
  mkdirSync(join(path, 'driver'), { recursive: true });
  writeFileSync(join(path, 'driver', 'home-id'), `${id}\n`);
  return path;
}

test('memory of deleted homes is given back; that of living ones, and what nobody marked, stays', async () => {
  const base = join(work, 'shm');
  for (const id of ['aa', 'bb', 'cc', 'dd']) mkdirSync(join(base, `vgpu-${id}`, 'ring'), { recursive: true });
  const [mine, gone, other] = [home('mine', 'aa'), home('gone', 'bb'), home('other', 'cc')];
  for (const one of [gone, other, mine]) expect(await removeStaleRoots(one, base)).toEqual([]);
  rmSync(gone, { recursive: true });
  expect(await removeStaleRoots(mine, base)).toEqual([join(base, 'vgpu-bb')]);
  expect(await removeStaleRoots(mine, base)).toEqual([]);
  const left = ['aa', 'cc', 'dd'].map((id) => existsSync(join(base, `vgpu-${id}`)));
  expect(left).toEqual([true, true, true]);
  expect(existsSync(join(base, '.vgpu-home-bb'))).toBe(false);
  // The same place with a new home in it: the old one's memory goes all the same.
  writeFileSync(join(other, 'driver', 'home-id'), 'ee');
  expect(await removeStaleRoots(mine, base)).toEqual([join(base, 'vgpu-cc')]);
});

/** Unmounting takes what mounting takes. */
function mayMount(): boolean {
  const point = mkdtempSync(join(work, 'probe-'));
  try {
    mountTmpfs('vgpu-probe', point, { bytes: 4096, inodes: 4 });
    return true;
  } catch {
    console.warn('skipped: what is mounted for a deleted home (it takes root)');
    return false;
  } finally {
    void unmount(point);
  }
}

test.skipIf(!mayMount())(
  'what is mounted for a deleted home goes too, unless its server still runs',
  async () => {
    const base = join(work, 'mounted');
    const [mine, gone] = [home('keeper', 'a1'), home('gone-too', 'b1')];
    const point = join(base, 'vgpu-b1', 'worker', 'ctl');
    onTestFinished(async () => void (await unmount(point)));
    mkdirSync(point, { recursive: true });
    mountTmpfs('vgpu-ctl', point, { bytes: 65_536, inodes: 16 });
    writeFileSync(join(point, 'ring'), 'a line');
    await removeStaleRoots(gone, base);
    const database = openSync(join(gone, 'state.db'), 'w');
    rmSync(gone, { recursive: true });
    expect(await removeStaleRoots(mine, base)).toEqual([]);
    expect(existsSync(join(point, 'ring'))).toBe(true);
    closeSync(database);
    expect(await removeStaleRoots(mine, base)).toEqual([join(base, 'vgpu-b1')]);
    expect(mountsUnder(base)).toEqual([]);
    expect(existsSync(join(base, 'vgpu-b1'))).toBe(false);
  },
);
