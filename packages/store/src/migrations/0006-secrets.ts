import { type Migration, required } from './migration.ts';

/** Secrets of projects, sealed. */
export const secrets: Migration = {
  version: 6,
  name: 'secrets',
  async up(db) {
    await db.schema
      .createTable('secrets')
      .addColumn('project', 'text', required)
      .addColumn('name', 'text', required)
      .addColumn('sealed', 'text', required)
      .addColumn('key_id', 'text', required)
      .addColumn('bytes', 'integer', required)
      .addColumn('text', 'integer', required)
      .addColumn('created_at', 'bigint', required)
      .addColumn('updated_at', 'bigint', required)
      .addColumn('updated_by', 'text', required)
      .addPrimaryKeyConstraint('secrets_key', ['project', 'name'])
      .execute();
  },
};
