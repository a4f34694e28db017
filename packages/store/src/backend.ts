import type { Kysely } from 'kysely';
import type { Tables } from './schema/tables.ts';

export type DialectName = 'sqlite' | 'postgres';

/** A transaction in progress. Do nothing but queries in it: others may be waiting for the same commit. */
export type Transaction = Kysely<Tables>;

/** One database engine: how to read, and how to write durably. Each lives in a folder of `dialect/`. */
export interface Backend {
  readonly dialect: DialectName;
  /** Reads see only what is committed. */
  readonly read: Kysely<Tables>;
  /**
   * Runs queries in a transaction and resolves once they are on disk. When `work` throws, nothing of it stays
   * and the error comes out; other writers are not affected.
   */
  write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
