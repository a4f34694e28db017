import { type Kysely, sql } from 'kysely';
import type { DeadMessage, LeaseOptions, Message, NewMessage, QueueDepth, WorkQueue } from '../work-queue.ts';
import type { QueueMessageTable, QueueTables } from './table.ts';

/** What the queue needs from the store that it lives in. */
export interface QueueDatabase {
  readonly read: Kysely<QueueTables>;
  /** Runs in a transaction of its own; resolves once that is durable. */
  write<T>(work: (transaction: Kysely<QueueTables>) => Promise<T>): Promise<T>;
  /** Where several processes share the database: take rows that nobody else is taking (`skip locked`). */
  readonly skipLocked: boolean;
}

const DEFAULT_VISIBILITY_MS = 30_000;
const DEFAULT_DELIVERIES = 5;

let lastOrdinal = 0;
/** Microseconds of the clock, made strictly increasing within the process. */
function nextOrdinal(now: number): number {
  lastOrdinal = Math.max(lastOrdinal + 1, now * 1000);
  return lastOrdinal;
}

/** Adds messages within a transaction of the caller, so that work and what caused it are durable together. */
export async function enqueueWithin(
  transaction: Kysely<QueueTables>,
  messages: readonly NewMessage[],
  now: number = Date.now(),
): Promise<string[]> {
  const ids: string[] = [];
  for (const message of messages) {
    if (message.key !== undefined) {
      const known = await transaction
        .selectFrom('queue_messages')
        .select('id')
        .where('topic', '=', message.topic)
        .where('key', '=', message.key)
        .where('dead_at', 'is', null)
        .executeTakeFirst();
      if (known) {
        ids.push(known.id);
        continue;
      }
    }
    const ordinal = nextOrdinal(now);
    const id = `msg_${ordinal.toString(36)}_${crypto.randomUUID().slice(0, 8)}`;
    await transaction
      .insertInto('queue_messages')
      .values({
        id,
        project: message.project,
        topic: message.topic,
        payload: JSON.stringify(message.payload),
        key: message.key ?? null,
        ordinal,
        enqueued_at: now,
        visible_at: now + (message.delayMs ?? 0),
        lease: null,
        deliveries: 0,
        max_deliveries: message.maxDeliveries ?? DEFAULT_DELIVERIES,
        error: null,
        dead_at: null,
      })
      .execute();
    ids.push(id);
  }
  return ids;
}

/** The queue in a table of the store: as durable as the store's commits. */
export class EmbeddedQueue implements WorkQueue {
  readonly #db: QueueDatabase;
  readonly #now: () => number;
  readonly #listeners = new Map<string, Set<() => void>>();

  constructor(db: QueueDatabase, now: () => number = Date.now) {
    this.#db = db;
    this.#now = now;
  }

  async enqueue(messages: readonly NewMessage[]): Promise<string[]> {
    const ids = await this.#db.write((trx) => enqueueWithin(trx, messages, this.#now()));
    for (const topic of new Set(messages.map((m) => m.topic))) this.notify(topic);
    return ids;
  }

  /** Tells the listeners of a topic that something may be deliverable. */
  notify(topic: string): void {
    for (const listener of this.#listeners.get(topic) ?? []) listener();
  }

  async lease(topic: string, options: LeaseOptions = {}): Promise<Message[]> {
    const now = this.#now();
    const until = now + (options.visibilityMs ?? DEFAULT_VISIBILITY_MS);
    const lease = crypto.randomUUID();
    const due = (db: Kysely<QueueTables>) =>
      db
        .selectFrom('queue_messages')
        .where('topic', '=', topic)
        .where('dead_at', 'is', null)
        .where('visible_at', '<=', now)
        .orderBy('visible_at')
        .orderBy('ordinal')
        .limit(options.limit ?? 1);
    // A look without a transaction first: an empty queue must not cost a commit.
    if (!(await due(this.#db.read).select('id').executeTakeFirst())) return [];
    return this.#db.write(async (trx) => {
      let query = due(trx).selectAll();
      if (this.#db.skipLocked) query = query.forUpdate().skipLocked();
      const rows = await query.execute();
      const messages: Message[] = [];
      for (const row of rows) {
        if (row.deliveries >= row.max_deliveries) {
          await this.#setDead(trx, row.id, 'its last delivery was not acknowledged in time', now);
          continue;
        }
        await trx
          .updateTable('queue_messages')
          .set({ lease, visible_at: until, deliveries: row.deliveries + 1 })
          .where('id', '=', row.id)
          .execute();
        messages.push({
          id: row.id,
          topic,
          project: row.project,
          payload: JSON.parse(row.payload),
          deliveries: row.deliveries + 1,
          lease,
          leasedUntil: until,
        });
      }
      return messages;
    });
  }

  async ack(messages: Message | readonly Message[]): Promise<boolean> {
    const list: readonly Message[] = 'id' in messages ? [messages] : messages;
    return this.#db.write(async (trx) => {
      let done = 0;
      for (const message of list) {
        const result = await trx
          .deleteFrom('queue_messages')
          .where('id', '=', message.id)
          .where('lease', '=', message.lease)
          .executeTakeFirst();
        done += Number(result.numDeletedRows);
      }
      return done === list.length;
    });
  }

  async nack(message: Message, options: { delayMs?: number; error?: string } = {}): Promise<boolean> {
    const now = this.#now();
    const changed = await this.#db.write(async (trx) => {
      const row = await this.#held(trx, message);
      if (!row) return false;
      const error = options.error ?? null;
      if (row.deliveries >= row.max_deliveries) {
        await this.#setDead(trx, row.id, error ?? 'refused', now);
        return true;
      }
      await trx
        .updateTable('queue_messages')
        .set({ lease: null, visible_at: now + (options.delayMs ?? 0), error })
        .where('id', '=', message.id)
        .execute();
      return true;
    });
    if (changed && !options.delayMs) this.notify(message.topic);
    return changed;
  }

  async extend(message: Message, visibilityMs: number): Promise<boolean> {
    const result = await this.#db.write((trx) =>
      trx
        .updateTable('queue_messages')
        .set({ visible_at: this.#now() + visibilityMs })
        .where('id', '=', message.id)
        .where('lease', '=', message.lease)
        .executeTakeFirst(),
    );
    return result.numUpdatedRows > 0n;
  }

  async bury(message: Message, error: string): Promise<boolean> {
    return this.#db.write(async (trx) => {
      if (!(await this.#held(trx, message))) return false;
      await this.#setDead(trx, message.id, error, this.#now());
      return true;
    });
  }

  async dead(topic: string, limit = 100): Promise<DeadMessage[]> {
    const rows = await this.#db.read
      .selectFrom('queue_messages')
      .selectAll()
      .where('topic', '=', topic)
      .where('dead_at', 'is not', null)
      .orderBy('dead_at')
      .orderBy('ordinal')
      .limit(limit)
      .execute();
    return rows.map((row) => ({
      id: row.id,
      topic: row.topic,
      project: row.project,
      payload: JSON.parse(row.payload),
      deliveries: row.deliveries,
      error: row.error ?? '',
      deadAt: row.dead_at!,
    }));
  }

  async revive(id: string): Promise<boolean> {
    const topic = await this.#db.write(async (trx) => {
      const row = await trx
        .updateTable('queue_messages')
        .set({ dead_at: null, deliveries: 0, lease: null, error: null, visible_at: this.#now() })
        .where('id', '=', id)
        .where('dead_at', 'is not', null)
        .returning('topic')
        .executeTakeFirst();
      return row?.topic;
    });
    if (topic) this.notify(topic);
    return topic !== undefined;
  }

  async depth(topic: string): Promise<QueueDepth> {
    const now = this.#now();
    const count = (condition: ReturnType<typeof sql>) =>
      sql<number>`coalesce(sum(case when ${condition} then 1 else 0 end), 0)`;
    const row = await this.#db.read
      .selectFrom('queue_messages')
      .where('topic', '=', topic)
      .select([
        count(sql`dead_at is null and visible_at <= ${now}`).as('ready'),
        count(sql`dead_at is null and visible_at > ${now} and lease is null`).as('delayed'),
        count(sql`dead_at is null and visible_at > ${now} and lease is not null`).as('leased'),
        count(sql`dead_at is not null`).as('dead'),
      ])
      .executeTakeFirstOrThrow();
    return {
      ready: Number(row.ready),
      delayed: Number(row.delayed),
      leased: Number(row.leased),
      dead: Number(row.dead),
    };
  }

  onReady(topic: string, listener: () => void): () => void {
    const set = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, set.add(listener));
    return () => void set.delete(listener);
  }

  /** The row, if the message's lease is still the latest. */
  #held(trx: Kysely<QueueTables>, message: Message): Promise<QueueMessageTable | undefined> {
    return trx
      .selectFrom('queue_messages')
      .selectAll()
      .where('id', '=', message.id)
      .where('lease', '=', message.lease)
      .executeTakeFirst();
  }

  async #setDead(trx: Kysely<QueueTables>, id: string, error: string, now: number): Promise<void> {
    await trx
      .updateTable('queue_messages')
      .set({ dead_at: now, lease: null, error })
      .where('id', '=', id)
      .execute();
  }
}
