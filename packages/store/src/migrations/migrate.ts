import { VgpuError } from '@vgpu/core';
import { type Kysely, sql } from 'kysely';
import type { DialectName } from '../backend.ts';
import { latestVersion, migrations } from './catalogue.ts';

interface VersionTable {
  schema_version: { version: number; name: string; applied_at: number };
}

/** The schema's version; 0 for an empty database. */
async function currentVersion(db: Kysely<VersionTable>): Promise<number> {
  const row = await db
    .selectFrom('schema_version')
    .select((e) => e.fn.max('version').as('version'))
    .executeTakeFirst();
  return Number(row?.version ?? 0);
}

/**
 * Brings the schema to a version, within the caller's transaction.
 * @param to the version to stop at; default the latest. Only tests stop earlier.
 * @throws VgpuError `STORE_FAILED` when the database is from a newer vgpu.
 */
export async function migrate(
  transaction: Kysely<unknown>,
  dialect: DialectName,
  to: number = latestVersion,
): Promise<{ from: number; to: number }> {
  const db = transaction as Kysely<VersionTable>;
  // Two servers on one PostgreSQL must not migrate at once; SQLite's writer is alone anyway.
  if (dialect === 'postgres') await sql`select pg_advisory_xact_lock(8470)`.execute(db);
  await db.schema
    .createTable('schema_version')
    .ifNotExists()
    .addColumn('version', 'integer', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('applied_at', 'bigint', (c) => c.notNull())
    .execute();
  const from = await currentVersion(db);
  if (from > latestVersion) {
    throw new VgpuError('STORE_FAILED', {
      problem: `it was written by a newer vgpu (schema ${from}, this one knows ${latestVersion}); upgrade vgpu`,
    });
  }
  for (const migration of migrations) {
    if (migration.version <= from || migration.version > to) continue;
    await migration.up(transaction, dialect);
    await db
      .insertInto('schema_version')
      .values({ version: migration.version, name: migration.name, applied_at: Date.now() })
      .execute();
  }
  return { from, to: Math.max(from, to) };
}
