import { key, type Migration, required, zero } from './migration.ts';

/** The embedded work queue, and pools of accelerators. */
export const queueAndPools: Migration = {
  version: 4,
  name: 'queue-and-pools',
  async up(db) {
    await db.schema
      .createTable('queue_messages')
      .addColumn('id', 'text', key)
      .addColumn('project', 'text', required)
      .addColumn('topic', 'text', required)
      .addColumn('payload', 'text', required)
      .addColumn('key', 'text')
      .addColumn('ordinal', 'bigint', required)
      .addColumn('enqueued_at', 'bigint', required)
      .addColumn('visible_at', 'bigint', required)
      .addColumn('lease', 'text')
      .addColumn('deliveries', 'integer', zero)
      .addColumn('max_deliveries', 'integer', required)
      .addColumn('error', 'text')
      .addColumn('dead_at', 'bigint')
      .execute();
    await db.schema
      .createIndex('queue_due')
      .on('queue_messages')
      .columns(['topic', 'visible_at', 'ordinal'])
      .execute();
    await db.schema.createIndex('queue_key').on('queue_messages').columns(['topic', 'key']).execute();
    await db.schema
      .createTable('pools')
      .addColumn('project', 'text', required)
      .addColumn('name', 'text', required)
      .addColumn('accelerators', 'text', required)
      .addColumn('split_count', 'integer', required)
      .addColumn('core_scaling', 'double precision', required)
      .addColumn('memory_scaling', 'double precision', required)
      .addPrimaryKeyConstraint('pools_key', ['project', 'name'])
      .execute();
  },
};
