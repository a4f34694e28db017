import type { DatabaseSync } from 'node:sqlite';
import { VgpuError } from '@vgpu/core';
import type { Transaction } from '../../backend.ts';

interface Waiting {
  run(): Promise<void>;
  settle(): void;
  fail(error: unknown): void;
}

/** Writers that share one commit; more wait for the next, which bounds how long a reader sees no progress. */
const MAX_BATCH = 256;
const GATHER_TURNS = 2;

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/**
 * Lets concurrent writers share transactions: those that come while one commit is on its way to the disk go
 * into the next one together. Each is fenced by a savepoint, and none resolves before its commit is durable.
 */
export class GroupCommit {
  readonly #db: DatabaseSync;
  readonly #transaction: Transaction;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #closed = false;
  commits = 0;

  constructor(db: DatabaseSync, transaction: Transaction) {
    this.#db = db;
    this.#transaction = transaction;
  }

  write<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    if (this.#closed) {
      return Promise.reject(new VgpuError('STORE_FAILED', { problem: 'the store is closed' }));
    }
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let result: T;
    this.#waiting.push({
      run: async () => {
        result = await work(this.#transaction);
      },
      settle: () => resolve(result),
      fail: reject,
    });
    this.#running ??= this.#drain();
    return promise;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      // A commit blocks the process until it is on the disk. Requests that arrived meanwhile are read in the next
      // turns of the event loop: waiting for those turns lets them in, which costs far less than a commit each.
      for (let turn = 0; turn < GATHER_TURNS; turn++) await nextTurn();
      await this.#commit(this.#waiting.splice(0, MAX_BATCH));
    }
    this.#running = undefined;
  }

  async #commit(batch: Waiting[]): Promise<void> {
    const done: Waiting[] = [];
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      for (const writer of batch) {
        this.#db.exec('SAVEPOINT writer');
        try {
          await writer.run();
          this.#db.exec('RELEASE writer');
          done.push(writer);
        } catch (error) {
          this.#db.exec('ROLLBACK TO writer; RELEASE writer');
          writer.fail(error);
        }
      }
      this.#db.exec(done.length > 0 ? 'COMMIT' : 'ROLLBACK');
      this.commits++;
    } catch (cause) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      const problem = (cause as Error).message;
      for (const writer of batch) writer.fail(new VgpuError('STORE_FAILED', { problem }, { cause }));
      return;
    }
    for (const writer of done) writer.settle();
  }
}
