import { EmbeddedQueue, type QueueTables } from '@vgpu/queue';
import type { Kysely } from 'kysely';
import type { Backend } from './backend.ts';
import { openPostgres, type PostgresOptions } from './dialect/postgres/open.ts';
import { openSqlite, type SqliteOptions } from './dialect/sqlite/open.ts';
import { migrate } from './migrations/migrate.ts';

export interface Store extends Backend {
  /** The work queue embedded in this store. */
  readonly queue: EmbeddedQueue;
}

export type StoreOptions =
  | ({ dialect: 'sqlite' } & SqliteOptions)
  | ({ dialect: 'postgres' } & PostgresOptions);

/**
 * Opens the store and brings its schema up to date.
 * @param now clock of the embedded queue, epoch ms.
 * @throws VgpuError `STORE_FAILED` when a newer vgpu wrote it.
 */
export async function openStore(options: StoreOptions, now: () => number = Date.now): Promise<Store> {
  const backend = options.dialect === 'sqlite' ? await openSqlite(options) : await openPostgres(options);
  try {
    await backend.write((trx) => migrate(trx as Kysely<unknown>, backend.dialect));
  } catch (error) {
    await backend.close();
    throw error;
  }
  const queue = new EmbeddedQueue(
    {
      read: backend.read as unknown as Kysely<QueueTables>,
      write: (work) => backend.write((trx) => work(trx as unknown as Kysely<QueueTables>)),
      skipLocked: backend.dialect === 'postgres',
    },
    now,
  );
  return { ...backend, queue };
}
