import type { RingReader } from './reader.ts';
import type { RingRecord } from './record.ts';

/** Milliseconds between polls of a ring that has just delivered, and of one that is long idle. */
const BUSY_MS = 3;
const IDLE_MS = 25;
const BACKOFF = 1.5;
/** After so much work a tick gives way to the rest of the server. */
const TICK_MS = 10;
/**
 * A ring rests for its own working time, times a factor: 1, and more while all rings together take more
 * than half of the thread. So rings that flood are slowed (their writers drop, and count), silent ones not.
 */
const WINDOW_MS = 200;
const BUSY_SHARE = 0.5;
const MAX_FACTOR = 64;

export type RingConsumer = {
  /** Records in order; never empty. */
  records: (records: RingRecord[]) => void;
  /** The ring ended: its writer closed it and it is drained (no error), or it failed and was closed. */
  end: (error?: Error) => void;
};

type Entry = { ring: RingReader; consumer: RingConsumer; interval: number; due: number };

/**
 * Polls any number of rings from one timer. Each ring has a pace of its own: a few milliseconds while
 * it delivers, slower while it is silent (a poll of a silent ring is one short read from memory).
 */
export class RingPoller {
  readonly #entries = new Set<Entry>();
  #timer: NodeJS.Timeout | undefined;
  #factor = 1;
  #busy = 0;
  #windowStart = performance.now();

  /** Follows a ring until it ends. Returns a function that polls once more, stops and closes the ring. */
  add(ring: RingReader, consumer: RingConsumer): () => void {
    const entry: Entry = { ring, consumer, interval: BUSY_MS, due: performance.now() };
    this.#entries.add(entry);
    this.#schedule(0);
    return () => {
      if (!this.#entries.has(entry)) return;
      // What a dead worker left is taken before the ring is closed; one that still prints cannot hold us.
      let target = Number.POSITIVE_INFINITY;
      while (this.#entries.has(entry) && this.#pollOne(entry) > 0 && ring.stats.read < target)
        target = Math.min(target, ring.stats.written);
      this.#drop(entry);
    };
  }

  /** Rings being followed. */
  get size(): number {
    return this.#entries.size;
  }

  /** Stops following and closes all rings, without `end` callbacks. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const entry of this.#entries) entry.ring.close();
    this.#entries.clear();
  }

  #schedule(delay: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tick(), delay);
  }

  #tick(): void {
    this.#timer = undefined;
    const start = performance.now();
    for (const entry of [...this.#entries].sort((a, b) => a.due - b.due)) {
      const before = performance.now();
      if (entry.due > before || before - start > TICK_MS) break;
      if (!this.#entries.has(entry)) continue; // stopped by another's consumer
      const got = this.#pollOne(entry);
      const now = performance.now();
      entry.interval = got > 0 ? BUSY_MS : Math.min(IDLE_MS, entry.interval * BACKOFF);
      entry.due = now + Math.max(entry.interval, (now - before) * this.#factor);
    }
    this.#pace(performance.now() - start);
    let next = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries) next = Math.min(next, entry.due);
    if (this.#entries.size > 0) this.#schedule(Math.max(1, next - performance.now()));
  }

  #pace(busy: number): void {
    this.#busy += busy;
    const now = performance.now();
    const window = now - this.#windowStart;
    if (window < WINDOW_MS) return;
    const share = this.#busy / window;
    if (share > BUSY_SHARE) this.#factor = Math.min(MAX_FACTOR, this.#factor * 2);
    else if (share < BUSY_SHARE / 2) this.#factor = Math.max(1, this.#factor / 2);
    this.#busy = 0;
    this.#windowStart = now;
  }

  /** Polls one ring; the number of records. Ends it on error or at its end. */
  #pollOne(entry: Entry): number {
    let records: RingRecord[];
    try {
      records = entry.ring.poll();
    } catch (error) {
      this.#drop(entry);
      entry.consumer.end(error as Error);
      return 0;
    }
    if (records.length > 0) entry.consumer.records(records);
    else if (entry.ring.ended) {
      this.#drop(entry);
      entry.consumer.end();
    }
    return records.length;
  }

  #drop(entry: Entry): void {
    this.#entries.delete(entry);
    entry.ring.close();
  }
}
