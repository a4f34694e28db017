import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type Store } from '@vgpu/store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Pools } from './pools.ts';

const dir = mkdtempSync(join(tmpdir(), 'vgpu-pools-'));
let store: Store;
beforeAll(async () => {
  store = await openStore({ dialect: 'sqlite', file: join(dir, 'state.db') });
});
afterAll(async () => {
  await store.close();
  rmSync(dir, { recursive: true, force: true });
});

const found = ['GPU-1', 'GPU-2', 'GPU-3'];
const shown = (pools: Pools) =>
  Object.fromEntries(pools.views(found).map((pool) => [pool.name, pool.accelerators]));

test('the default pool shows every accelerator that no other pool names', async () => {
  const pools = await Pools.open(store, dir);
  expect(shown(pools)).toEqual({ default: found });

  await pools.set('lab', { accelerators: ['GPU-2', 'GPU-gone'], deviceSplitCount: 4 });
  expect(shown(pools)).toEqual({ default: ['GPU-1', 'GPU-3'], lab: ['GPU-2', 'GPU-gone'] });

  // Settings of the default pool alone change nobody's place.
  await pools.set('default', { deviceSplitCount: 2 });
  expect(shown(pools)).toEqual({ default: ['GPU-1', 'GPU-3'], lab: ['GPU-2', 'GPU-gone'] });

  await pools.set('other', { accelerators: ['GPU-2', 'GPU-3'] });
  expect(shown(await Pools.open(store, dir))).toEqual({
    default: ['GPU-1'],
    lab: ['GPU-gone'],
    other: ['GPU-2', 'GPU-3'],
  });

  await pools.remove('other');
  expect(shown(pools)).toEqual({ default: found, lab: ['GPU-gone'] });
  expect(pools.views([]).find((pool) => pool.name === 'default')?.accelerators).toEqual([]);
});
