import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Kysely, SqliteDialect } from 'kysely';
import type { Backend } from '../../backend.ts';
import type { Tables } from '../../schema/tables.ts';
import { NodeSqlite } from './database.ts';
import { GroupCommit } from './group-commit.ts';

export interface SqliteOptions {
  /** File of the database; made with mode 0600 where absent. */
  file: string;
}

const connect = (database: NodeSqlite) => new Kysely<Tables>({ dialect: new SqliteDialect({ database }) });

/**
 * Opens the database in one file: a writer that groups commits, and a reader that sees only what is committed.
 * WAL with synchronous=FULL: a commit is on disk when it returns (sqlite.org/pragma.html#pragma_synchronous).
 */
export async function openSqlite(options: SqliteOptions): Promise<Backend> {
  mkdirSync(dirname(options.file), { recursive: true });
  const writer = new NodeSqlite(options.file);
  chmodSync(options.file, 0o600);
  writer.raw.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA cache_size = -8000;
    PRAGMA journal_size_limit = 67108864;
  `);
  const reader = new NodeSqlite(options.file);
  reader.raw.exec('PRAGMA query_only = ON; PRAGMA cache_size = -8000;');
  const writing = connect(writer);
  const reading = connect(reader);
  const group = new GroupCommit(writer.raw, writing);
  return {
    dialect: 'sqlite',
    read: reading,
    write: (work) => group.write(work),
    async close() {
      await group.close();
      reader.close();
      writer.close();
    },
  };
}
