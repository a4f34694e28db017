import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { openStore, type Store } from '../store.ts';
import { startPostgres } from './postgres.ts';

/** One empty database of a test: opened as often as the test likes, as after a crash or by two processes. */
export interface TestDatabase {
  open(now?: () => number): Promise<Store>;
  remove(): void;
}

export interface TestBackend {
  name: string;
  database(): TestDatabase;
}

const sqlite: TestBackend = {
  name: 'sqlite',
  database() {
    const folder = mkdtempSync(join(tmpdir(), 'vgpu-store-'));
    return {
      open: (now) => openStore({ dialect: 'sqlite', file: join(folder, 'state.db') }, now),
      remove: () => rmSync(folder, { recursive: true, force: true }),
    };
  },
};

/** Every backend that can be run here; says which one cannot, and why. Call it at the top of a test file. */
export async function testBackends(): Promise<TestBackend[]> {
  const server = await startPostgres();
  if ('skip' in server) {
    console.warn(`PostgreSQL is left out: ${server.skip}`);
    return [sqlite];
  }
  afterAll(() => server.stop());
  const postgres: TestBackend = {
    name: 'postgres',
    database() {
      const url = server.database();
      return { open: (now) => openStore({ dialect: 'postgres', url }, now), remove: () => {} };
    },
  };
  return [sqlite, postgres];
}
