import { sql } from 'kysely';
import type { DialectName, Transaction } from '../backend.ts';

export interface NewEvent {
  project: string;
  at: number;
  kind: string;
  job?: string | null;
  task?: string | null;
  attempt?: string | null;
  from?: string | null;
  to?: string | null;
  data?: unknown;
}

/**
 * Appends to the log of what happened. Sequence numbers grow in commit order, so a reader that has seen number n
 * never finds a smaller one later; PostgreSQL needs a lock for that, SQLite has one writer anyway.
 * @returns the event's sequence number.
 */
export async function appendEvent(trx: Transaction, dialect: DialectName, event: NewEvent): Promise<number> {
  if (dialect === 'postgres') await sql`select pg_advisory_xact_lock(8471)`.execute(trx);
  const row = await trx
    .insertInto('events')
    .values({
      project: event.project,
      at: event.at,
      kind: event.kind,
      job: event.job ?? null,
      task: event.task ?? null,
      attempt: event.attempt ?? null,
      from_state: event.from ?? null,
      to_state: event.to ?? null,
      data: event.data === undefined ? null : JSON.stringify(event.data),
    })
    .returning('seq')
    .executeTakeFirstOrThrow();
  return Number(row.seq);
}
