import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely, SqliteDialect } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Transaction } from '../../backend.ts';
import { NodeSqlite } from './database.ts';
import { GroupCommit } from './group-commit.ts';

let folder: string;
let database: NodeSqlite;
let group: GroupCommit;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vgpu-commit-'));
  database = new NodeSqlite(join(folder, 'a.db'));
  database.raw.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (n INTEGER)');
  group = new GroupCommit(
    database.raw,
    new Kysely({ dialect: new SqliteDialect({ database }) }) as Transaction,
  );
});
afterEach(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});
const insert = (n: number) =>
  group.write(async () => {
    database.raw.exec(`INSERT INTO t VALUES (${n})`);
    return n;
  });

test('concurrent writers share a commit, and each gets its own result', async () => {
  expect(await Promise.all([1, 2, 3, 4].map(insert))).toEqual([1, 2, 3, 4]);
  expect(group.commits).toBe(1);
});

test('a commit that fails fails every writer in it, and the next one works', async () => {
  const full = group.write(async () => {
    database.raw.exec('ROLLBACK');
  });
  await expect(Promise.all([insert(1), full])).rejects.toThrow();
  await insert(2);
  expect(database.raw.prepare('SELECT n FROM t').all()).toEqual([{ n: 2 }]);
});

test('nothing is written after closing', async () => {
  await group.close();
  await expect(insert(1)).rejects.toMatchObject({ code: 'STORE_FAILED' });
});
