import type { Migration } from './migration.ts';

/** Quotas of projects, the tree that they form, and what an attempt is stopped for. */
export const quotas: Migration = {
  version: 5,
  name: 'quotas',
  async up(db) {
    const { schema } = db;
    await schema.alterTable('projects').addColumn('parent', 'text').execute();
    await schema
      .alterTable('projects')
      .addColumn('quota', 'text', (c) => c.notNull().defaultTo('{}'))
      .execute();
    await schema
      .alterTable('projects')
      .addColumn('cap', 'text', (c) => c.notNull().defaultTo('{}'))
      .execute();
    await schema
      .alterTable('projects')
      .addColumn('over_quota_weight', 'double precision', (c) => c.notNull().defaultTo(1))
      .execute();
    await schema.alterTable('attempts').addColumn('preempted', 'text').execute();
  },
};
