import type { Migration } from './migration.ts';

/** Whether slices of a pool run under NVIDIA's MPS. */
export const mps: Migration = {
  version: 7,
  name: 'mps',
  async up(db) {
    const { schema } = db;
    await schema
      .alterTable('pools')
      .addColumn('mps', 'text', (c) => c.notNull().defaultTo('off'))
      .execute();
    await schema
      .alterTable('pools')
      .addColumn('mps_across_projects', 'integer', (c) => c.notNull().defaultTo(0))
      .execute();
  },
};
