import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { removeStaleRoots } from './stale-roots.ts';

const work = mkdtempSync(join(tmpdir(), 'vgpu-roots-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

function home(name: string, id: string): string {
  const path = join(work, name);
  mkdirSync(join(path, 'driver'), { recursive: true });
  writeFileSync(join(path, 'driver', 'home-id'), `${id}\n`);
  return path;
}

test('memory of deleted homes is given back; that of living ones, and what nobody marked, stays', () => {
  const base = join(work, 'shm');
  for (const id of ['aa', 'bb', 'cc', 'dd']) mkdirSync(join(base, `vgpu-${id}`, 'ring'), { recursive: true });
  const [mine, gone, other] = [home('mine', 'aa'), home('gone', 'bb'), home('other', 'cc')];
  for (const one of [gone, other, mine]) expect(removeStaleRoots(one, base)).toEqual([]);
  rmSync(gone, { recursive: true });
  expect(removeStaleRoots(mine, base)).toEqual([join(base, 'vgpu-bb')]);
  expect(removeStaleRoots(mine, base)).toEqual([]);
  const left = ['aa', 'cc', 'dd'].map((id) => existsSync(join(base, `vgpu-${id}`)));
  expect(left).toEqual([true, true, true]);
  expect(existsSync(join(base, '.vgpu-home-bb'))).toBe(false);
  // The same place with a new home in it: the old one's memory goes all the same.
  writeFileSync(join(other, 'driver', 'home-id'), 'ee');
  expect(removeStaleRoots(mine, base)).toEqual([join(base, 'vgpu-cc')]);
});
