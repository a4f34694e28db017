import { key, type Migration, required } from './migration.ts';

/** Bundles, datasets and their versions. */
export const data: Migration = {
  version: 2,
  name: 'data',
  async up(db) {
    await db.schema
      .createTable('bundles')
      .addColumn('project', 'text', required)
      .addColumn('hash', 'text', required)
      .addColumn('files', 'integer', required)
      .addColumn('bytes', 'bigint', required)
      .addColumn('created_at', 'bigint', required)
      .addPrimaryKeyConstraint('bundles_key', ['project', 'hash'])
      .execute();
    await db.schema
      .createTable('datasets')
      .addColumn('id', 'text', key)
      .addColumn('project', 'text', required)
      .addColumn('name', 'text', required)
      .addColumn('created_at', 'bigint', required)
      .addUniqueConstraint('datasets_name', ['project', 'name'])
      .execute();
    await db.schema
      .createTable('dataset_versions')
      .addColumn('project', 'text', required)
      .addColumn('dataset', 'text', (c) => c.notNull().references('datasets.id').onDelete('cascade'))
      .addColumn('number', 'integer', required)
      .addColumn('version', 'text', required)
      .addColumn('created_at', 'bigint', required)
      .addColumn('rows', 'bigint', required)
      .addColumn('rejected', 'bigint', required)
      .addColumn('columns', 'integer', required)
      .addColumn('bytes', 'bigint', required)
      .addColumn('file', 'text', required)
      .addColumn('target', 'text')
      .addPrimaryKeyConstraint('dataset_versions_key', ['dataset', 'number'])
      .execute();
    await db.schema
      .createIndex('dataset_versions_version')
      .on('dataset_versions')
      .columns(['version'])
      .execute();
  },
};
