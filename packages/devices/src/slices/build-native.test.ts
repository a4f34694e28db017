import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildNative } from './build-native.ts';
import { nativeFiles } from './native-files.ts';

const sources = fileURLToPath(new URL('../../../../native', import.meta.url));
let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'vgpu-native-'));
  cpSync(sources, root, { recursive: true, filter: (path) => path !== join(sources, 'build') });
});
afterAll(() => rmSync(root, { recursive: true }));

it('builds what is missing, once', async () => {
  const dir = join(root, 'build');
  expect(() => nativeFiles(dir)).toThrow(/not built/);
  expect(await buildNative(dir)).toEqual({ state: 'built', problem: '' });
  expect(nativeFiles(dir).limiter).toBe(join(dir, 'libvgpu-limiter.so'));
  expect(await buildNative(dir)).toEqual({ state: 'ready', problem: '' });
});

it('says why where it cannot', async () => {
  expect(await buildNative(join(root, 'nowhere/build'))).toMatchObject({
    state: 'impossible',
    problem: expect.stringContaining('no sources'),
  });
});
