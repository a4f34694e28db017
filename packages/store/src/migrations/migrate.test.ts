import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { afterAll, describe, expect, test } from 'vitest';
import { openSqlite } from '../dialect/sqlite/open.ts';
import { latestVersion, migrations } from './catalogue.ts';
import { migrate } from './migrate.ts';

const folder = mkdtempSync(join(tmpdir(), 'vgpu-migrate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function openAt(name: string) {
  const backend = await openSqlite({ file: join(folder, `${name}.db`) });
  const to = (version: number) =>
    backend.write((trx) => migrate(trx as Kysely<unknown>, backend.dialect, version));
  const schema = async () => {
    const { rows } = await sql<{ sql: string }>`
      select sql from sqlite_master where sql is not null and name not like 'sqlite_%' order by type, name
    `.execute(backend.read);
    return rows.map((row) => row.sql);
  };
  return { backend, to, schema };
}

describe('migrations', () => {
  test('are numbered from 1 without gaps', () => {
    expect(migrations.map((m) => m.version)).toEqual(migrations.map((_, i) => i + 1));
  });

  for (let from = 0; from <= latestVersion; from++) {
    test(`from version ${from} lead to the schema of a new database and keep the rows`, async () => {
      const fresh = await openAt(`fresh-${from}`);
      await fresh.to(latestVersion);
      const old = await openAt(`old-${from}`);
      await old.to(from);
      if (from >= 1) {
        await old.backend.write((trx) =>
          sql`insert into projects (project, created_at, allow_egress) values ('kept', 1, 1)`.execute(trx),
        );
        await old.backend.write((trx) =>
          trx
            .insertInto('tokens')
            .values({
              id: 'tok_1',
              project: 'default',
              user: 'admin',
              name: 'kept',
              hash: 'h',
              scopes: '["read"]',
              created_at: 1,
            })
            .execute(),
        );
      }
      expect(await old.to(latestVersion)).toEqual({ from, to: latestVersion });
      expect(await old.schema()).toEqual(await fresh.schema());
      const names = await old.backend.read.selectFrom('tokens').select('name').execute();
      expect(names).toEqual(from >= 1 ? [{ name: 'kept' }] : []);
      const projects = await old.backend.read.selectFrom('projects').selectAll().execute();
      const free = { parent: null, quota: '{}', cap: '{}', over_quota_weight: 1 };
      const kept = [{ project: 'kept', created_at: 1, allow_egress: 1, ...free }];
      expect(projects).toEqual(from >= 1 ? kept : []);
      await fresh.backend.close();
      await old.backend.close();
    });
  }

  test('a database of a newer vgpu is refused', async () => {
    const { backend, to } = await openAt('newer');
    await to(latestVersion);
    await backend.write((trx) =>
      sql`insert into schema_version values (${latestVersion + 1}, 'future', 0)`.execute(trx),
    );
    await expect(to(latestVersion)).rejects.toMatchObject({ code: 'STORE_FAILED' });
    await backend.close();
  });
});
