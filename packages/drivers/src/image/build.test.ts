import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EngineClient } from '../docker/client.ts';
import { testEngine } from '../testing/test-engine.ts';
import { buildImage } from './build.ts';
import { imagesDir, lineage, listDefinitions } from './definition.ts';
import { ImageStore } from './image-store.ts';
import { readLock } from './lock.ts';

const dir = mkdtempSync(join(tmpdir(), 'vgpu-image-'));
let client: EngineClient;

beforeAll(async () => {
  client = new EngineClient(await testEngine());
});

afterAll(async () => {
  await client.close();
  rmSync(dir, { recursive: true, force: true });
});

test('every definition is locked: each input by hash, for each architecture, once', async () => {
  for (const name of await listDefinitions()) {
    const chain = await lineage(name);
    const lock = await readLock(name);
    for (const [architecture, inputs] of Object.entries(lock.architectures)) {
      const all = [...inputs.debs, ...inputs.wheels];
      for (const input of all)
        expect(input.sha256, `${name} ${architecture} ${input.name}`).toMatch(/^[0-9a-f]{64}$/);
      expect(new Set(all.map((i) => i.sha256)).size).toBe(all.length);
      for (const wanted of chain.at(-1)!.layers.flatMap((l) => [...(l.debs ?? []), ...(l.wheels ?? [])])) {
        expect(all.map((i) => i.name)).toContain(wanted.split('==')[0]);
      }
    }
  }
});

test('the engine knows the image under the id that the builder computed', async () => {
  const store = new ImageStore(client);
  const found = await store.inspect('sklearn');
  expect(found).toMatchObject({
    name: 'sklearn',
    managed: true,
    created: (await readLock('sklearn')).created,
  });
  expect(found.tags).toContain('vgpu/sklearn:latest');
  expect(await store.find('no-such-image')).toBeUndefined();
  await expect(store.remove('no-such-image')).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
});

test('an input that left its source is an error that says how to relock, and leaves no half build', async () => {
  const images = join(dir, 'images');
  mkdirSync(join(images, 'gone'), { recursive: true });
  writeFileSync(
    join(images, 'gone/image.json'),
    JSON.stringify({
      name: 'gone',
      description: '',
      suite: 'trixie',
      python: '3.13',
      layers: [{ name: 'l', wheels: ['x'] }],
      env: {},
    }),
  );
  const wheel = {
    layer: 'l',
    name: 'x',
    version: '1',
    url: `file:///nowhere/x.whl`,
    size: 1,
    sha256: 'a'.repeat(64),
  };
  const inputs = { debs: [], wheels: [wheel] };
  writeFileSync(
    join(images, 'gone/lock.json'),
    JSON.stringify({
      format: 1,
      created: '2026-01-01T00:00:00.000Z',
      mirror: 'http://127.0.0.1:9',
      architectures: { amd64: inputs, arm64: inputs },
    }),
  );
  const cacheDir = join(dir, 'cache');
  await expect(buildImage('gone', { cacheDir, imagesDir: images })).rejects.toMatchObject({
    code: 'DOWNLOAD_FAILED',
    hint: expect.stringContaining('vgpu image lock gone'),
  });
  expect(readdirSync(cacheDir).filter((f) => f.startsWith('build-'))).toEqual([]);
  await expect(buildImage('nope', { cacheDir, imagesDir: images })).rejects.toThrow(
    'no image definition "nope"',
  );
});

test('a stopped build cleans up', async () => {
  const abort = new AbortController();
  const cacheDir = join(dir, 'stopped');
  const building = buildImage('sklearn', { cacheDir, signal: abort.signal, onProgress: () => abort.abort() });
  await expect(building).rejects.toMatchObject({ code: 'ABORTED' });
  expect(existsSync(cacheDir) ? readdirSync(cacheDir).filter((f) => f.startsWith('build-')) : []).toEqual([]);
});

test('a Dockerfile is built with its output as it comes; a failing step is named', async () => {
  const store = new ImageStore(client);
  const lines: string[] = [];
  const options = { cacheDir: dir, onProgress: (p: { message: string }) => lines.push(p.message) };
  await store.buildFromDockerfile('unit-test', 'FROM vgpu/sklearn\nUSER 0\nRUN echo in-the-build\n', options);
  expect(lines.join('\n')).toContain('in-the-build');
  expect((await store.find('unit-test'))?.managed).toBe(true);
  await store.remove('unit-test');
  expect(await store.find('unit-test')).toBeUndefined();
  await expect(
    store.buildFromDockerfile('unit-test', 'FROM vgpu/sklearn\nRUN echo about-to-fail; exit 3\n', options),
  ).rejects.toThrow(/exit 3[\s\S]*about-to-fail/);
});

test('the definitions lie where the code looks for them', async () => {
  expect(existsSync(imagesDir())).toBe(true);
  expect(await listDefinitions()).toEqual(['opencl', 'sklearn']);
});
