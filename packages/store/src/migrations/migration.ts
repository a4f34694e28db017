import type { ColumnDefinitionBuilder, Kysely } from 'kysely';
import type { DialectName } from '../backend.ts';

export interface Migration {
  /** 1, 2, 3 … without gaps. A migration that was released never changes again. */
  readonly version: number;
  readonly name: string;
  up(db: Kysely<unknown>, dialect: DialectName): Promise<void>;
}

type Column = (c: ColumnDefinitionBuilder) => ColumnDefinitionBuilder;

/** Shorthands for the columns that the tables are made of. */
export const required: Column = (c) => c.notNull();
export const zero: Column = (c) => c.notNull().defaultTo(0);
export const key: Column = (c) => c.primaryKey();
