import { key, type Migration, required, zero } from './migration.ts';

/** Projects, users, tokens and settings. */
export const tenancy: Migration = {
  version: 1,
  name: 'tenancy',
  async up(db) {
    await db.schema
      .createTable('projects')
      .addColumn('project', 'text', key)
      .addColumn('created_at', 'bigint', required)
      .addColumn('allow_egress', 'integer', zero)
      .execute();
    await db.schema
      .createTable('users')
      .addColumn('id', 'text', key)
      .addColumn('project', 'text', required)
      .addColumn('name', 'text', required)
      .addColumn('created_at', 'bigint', required)
      .addUniqueConstraint('users_name', ['project', 'name'])
      .execute();
    await db.schema
      .createTable('tokens')
      .addColumn('id', 'text', key)
      .addColumn('project', 'text', required)
      .addColumn('user', 'text', required)
      .addColumn('name', 'text', required)
      .addColumn('hash', 'text', (c) => c.notNull().unique())
      .addColumn('scopes', 'text', required)
      .addColumn('created_at', 'bigint', required)
      .addColumn('last_used_at', 'bigint')
      .addColumn('expires_at', 'bigint')
      .execute();
    await db.schema
      .createTable('settings')
      .addColumn('project', 'text', required)
      .addColumn('name', 'text', required)
      .addColumn('value', 'text', required)
      .addPrimaryKeyConstraint('settings_key', ['project', 'name'])
      .execute();
  },
};
