import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import type { SqliteDatabase, SqliteStatement } from 'kysely';

const CACHED_STATEMENTS = 256;

class Statement implements SqliteStatement {
  readonly reader: boolean;
  readonly #statement: StatementSync;

  constructor(statement: StatementSync) {
    this.#statement = statement;
    this.reader = statement.columns().length > 0;
  }

  all(parameters: readonly unknown[]): unknown[] {
    return this.#statement.all(...(parameters as SQLInputValue[]));
  }

  run(parameters: readonly unknown[]) {
    return this.#statement.run(...(parameters as SQLInputValue[]));
  }

  iterate(parameters: readonly unknown[]): IterableIterator<unknown> {
    return this.#statement.iterate(...(parameters as SQLInputValue[]));
  }
}

/** Node's SQLite in the shape that kysely's dialect expects, with its statements prepared once. */
export class NodeSqlite implements SqliteDatabase {
  readonly raw: DatabaseSync;
  readonly #cache = new Map<string, Statement>();

  constructor(file: string, options: { readOnly?: boolean } = {}) {
    this.raw = new DatabaseSync(file, { readOnly: options.readOnly ?? false, timeout: 10_000 });
  }

  prepare(sql: string): SqliteStatement {
    const known = this.#cache.get(sql);
    if (known) return known;
    const statement = new Statement(this.raw.prepare(sql));
    if (this.#cache.size >= CACHED_STATEMENTS) this.#cache.delete(this.#cache.keys().next().value!);
    // Statements of the schema may go stale; the others are worth keeping.
    if (/^\s*(select|insert|update|delete|with)/i.test(sql)) this.#cache.set(sql, statement);
    return statement;
  }

  close(): void {
    this.#cache.clear();
    if (this.raw.isOpen) this.raw.close();
  }
}
