import { key, type Migration, required, zero } from './migration.ts';

/** Jobs, tasks, attempts, the append-only events, and idempotency keys. */
export const jobs: Migration = {
  version: 3,
  name: 'jobs',
  async up(db, dialect) {
    await db.schema
      .createTable('jobs')
      .addColumn('id', 'text', key)
      .addColumn('project', 'text', required)
      .addColumn('user', 'text', required)
      .addColumn('name', 'text', required)
      .addColumn('state', 'text', required)
      .addColumn('spec', 'text', required)
      .addColumn('script', 'text', required)
      .addColumn('image', 'text', required)
      .addColumn('bundle', 'text', required)
      .addColumn('priority', 'integer', required)
      .addColumn('primary_metric', 'text')
      .addColumn('goal', 'text')
      .addColumn('tasks_total', 'integer', required)
      .addColumn('workers', 'integer', zero)
      .addColumn('submitted_at', 'bigint', required)
      .addColumn('started_at', 'bigint')
      .addColumn('ended_at', 'bigint')
      .execute();
    await db.schema.createIndex('jobs_age').on('jobs').columns(['project', 'submitted_at']).execute();
    await db.schema.createIndex('jobs_name').on('jobs').columns(['project', 'name']).execute();
    await db.schema
      .createTable('tasks')
      .addColumn('id', 'text', key)
      .addColumn('project', 'text', required)
      .addColumn('job', 'text', (c) => c.notNull().references('jobs.id').onDelete('cascade'))
      .addColumn('idx', 'integer', required)
      .addColumn('name', 'text', required)
      .addColumn('dataset', 'text')
      .addColumn('dataset_version', 'text')
      .addColumn('target', 'text')
      .addColumn('state', 'text', required)
      .addColumn('reason', 'text')
      .addColumn('exit_code', 'integer')
      .addColumn('attempt', 'text')
      .addColumn('attempts', 'integer', zero)
      .addColumn('retries_used', 'integer', zero)
      .addColumn('losses', 'integer', zero)
      .addColumn('stop_by', 'text')
      .addColumn('not_before', 'bigint', zero)
      .addColumn('worker', 'text')
      .addColumn('container', 'text')
      .addColumn('metrics', 'text', (c) => c.notNull().defaultTo('{}'))
      .addColumn('confusion', 'text')
      .addColumn('progress', 'text')
      .addColumn('last_line', 'text')
      .addColumn('lines', 'bigint', zero)
      .addColumn('dropped_bytes', 'bigint', zero)
      .addColumn('files', 'integer', zero)
      .addColumn('queued_ms', 'double precision')
      .addColumn('start_ms', 'double precision')
      .addColumn('run_ms', 'double precision')
      .addColumn('teardown_ms', 'double precision')
      .addColumn('submitted_at', 'bigint', required)
      .addColumn('queued_at', 'bigint', required)
      .addColumn('started_at', 'bigint')
      .addColumn('ended_at', 'bigint')
      .execute();
    await db.schema.createIndex('tasks_job').on('tasks').columns(['job', 'idx']).execute();
    await db.schema.createIndex('tasks_state').on('tasks').columns(['state']).execute();
    await db.schema
      .createTable('attempts')
      .addColumn('id', 'text', key)
      .addColumn('project', 'text', required)
      .addColumn('task', 'text', (c) => c.notNull().references('tasks.id').onDelete('cascade'))
      .addColumn('job', 'text', required)
      .addColumn('number', 'integer', required)
      .addColumn('worker', 'text', required)
      .addColumn('placement', 'text', required)
      .addColumn('handle', 'text')
      .addColumn('outcome', 'text')
      .addColumn('created_at', 'bigint', required)
      .addColumn('started_at', 'bigint')
      .addColumn('ended_at', 'bigint')
      .execute();
    await db.schema.createIndex('attempts_task').on('attempts').columns(['task', 'number']).execute();
    await db.schema
      .createTable('events')
      .addColumn('seq', dialect === 'postgres' ? 'bigserial' : 'integer', (c) =>
        dialect === 'postgres' ? c.primaryKey() : c.primaryKey().autoIncrement(),
      )
      .addColumn('project', 'text', required)
      .addColumn('at', 'bigint', required)
      .addColumn('kind', 'text', required)
      .addColumn('job', 'text')
      .addColumn('task', 'text')
      .addColumn('attempt', 'text')
      .addColumn('from_state', 'text')
      .addColumn('to_state', 'text')
      .addColumn('data', 'text')
      .execute();
    await db.schema.createIndex('events_job').on('events').columns(['job', 'seq']).execute();
    await db.schema
      .createTable('idempotency')
      .addColumn('project', 'text', required)
      .addColumn('key', 'text', required)
      .addColumn('fingerprint', 'text', required)
      .addColumn('result', 'text', required)
      .addColumn('created_at', 'bigint', required)
      .addPrimaryKeyConstraint('idempotency_key', ['project', 'key'])
      .execute();
  },
};
