import { VgpuError } from '@vgpu/core';
import { Kysely, PostgresDialect } from 'kysely';
import type { Backend } from '../../backend.ts';
import type { Tables } from '../../schema/tables.ts';

export interface PostgresOptions {
  /** Such as `postgres://user:password@host/database`. */
  url: string;
  /** Connections; default 10. */
  connections?: number;
}

/** PostgreSQL's codes for a transaction that lost to another one and may simply be tried again. */
const LOST_TO_ANOTHER = new Set(['40001', '40P01']);
const TRIES = 5;

/** Opens a PostgreSQL database: one transaction a writer; the server groups their commits by itself. */
export async function openPostgres(options: PostgresOptions): Promise<Backend> {
  const { default: pg } = await import('pg');
  // Counts, sizes and times fit a double exactly; as text they would differ from SQLite.
  const INT8 = 20;
  const NUMERIC = 1700;
  const types = {
    getTypeParser: (oid: number, format?: 'text' | 'binary') =>
      oid === INT8 || oid === NUMERIC ? Number : pg.types.getTypeParser(oid, format as 'text'),
  };
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.connections ?? 10,
    types: types as never,
  });
  // An idle connection that the server closes is replaced at the next query.
  pool.on('error', () => {});
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  return {
    dialect: 'postgres',
    read: db,
    async write(work) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await db.transaction().execute(work);
        } catch (error) {
          const code = (error as { code?: string }).code ?? '';
          if (LOST_TO_ANOTHER.has(code) && attempt < TRIES) continue;
          if (code === 'ECONNREFUSED' || code.startsWith('08') || code.startsWith('57')) {
            throw new VgpuError('STORE_FAILED', { problem: (error as Error).message }, { cause: error });
          }
          throw error;
        }
      }
    },
    async close() {
      await db.destroy();
    },
  };
}
