import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { WorkQueue } from './work-queue.ts';

/** A backend under test, with a clock that the tests move. */
export interface QueueUnderTest {
  queue: WorkQueue;
  /** Moves the clock that leases and delays are measured by. */
  advance(ms: number): Promise<void> | void;
  /** A second handle on the same durable messages, as after a crash of the first. */
  reopen(): Promise<WorkQueue>;
  close(): Promise<void>;
}

/** What every work queue must do. Call it once per backend, in a test file beside it. */
export function describeWorkQueue(name: string, open: () => Promise<QueueUnderTest>): void {
  describe(`work queue: ${name}`, () => {
    let at: QueueUnderTest;
    beforeEach(async () => {
      at = await open();
    });
    afterEach(() => at.close());
    const add = (...payloads: unknown[]) =>
      at.queue.enqueue(payloads.map((payload) => ({ topic: 't', project: 'p', payload })));

    test('delivers in order, each message once', async () => {
      await add({ n: 1 }, { n: 2 }, { n: 3 });
      const first = await at.queue.lease('t', { limit: 2 });
      expect(first.map((m) => m.payload)).toEqual([{ n: 1 }, { n: 2 }]);
      const second = await at.queue.lease('t', { limit: 2 });
      expect(second.map((m) => m.payload)).toEqual([{ n: 3 }]);
      expect(await at.queue.lease('t')).toEqual([]);
      expect(await at.queue.ack([...first, ...second])).toBe(true);
      expect(await at.queue.depth('t')).toEqual({ ready: 0, delayed: 0, leased: 0, dead: 0 });
    });

    test('keeps topics apart', async () => {
      await add(1);
      expect(await at.queue.lease('other')).toEqual([]);
    });

    test('a lease that runs out makes the message visible again, and the old lease worthless', async () => {
      await add('x');
      const [stale] = await at.queue.lease('t', { visibilityMs: 1000 });
      await at.advance(1001);
      const [again] = await at.queue.lease('t');
      expect(again).toMatchObject({ id: stale!.id, deliveries: 2, payload: 'x' });
      expect(await at.queue.ack(stale!)).toBe(false);
      expect(await at.queue.nack(stale!)).toBe(false);
      expect(await at.queue.extend(stale!, 1000)).toBe(false);
      expect(await at.queue.bury(stale!, 'no')).toBe(false);
      expect(await at.queue.ack(again!)).toBe(true);
    });

    test('extend keeps a message from others', async () => {
      await add('x');
      const [message] = await at.queue.lease('t', { visibilityMs: 1000 });
      await at.advance(900);
      expect(await at.queue.extend(message!, 1000)).toBe(true);
      await at.advance(900);
      expect(await at.queue.lease('t')).toEqual([]);
      expect(await at.queue.ack(message!)).toBe(true);
    });

    test('nack delivers again after its delay', async () => {
      await add('x');
      const [message] = await at.queue.lease('t');
      expect(await at.queue.nack(message!, { delayMs: 500, error: 'busy' })).toBe(true);
      expect(await at.queue.lease('t')).toEqual([]);
      expect((await at.queue.depth('t')).delayed).toBe(1);
      await at.advance(501);
      expect((await at.queue.lease('t'))[0]).toMatchObject({ id: message!.id, deliveries: 2 });
    });

    test('a delayed message waits for its time', async () => {
      await at.queue.enqueue([{ topic: 't', project: 'p', payload: 1, delayMs: 1000 }]);
      expect(await at.queue.lease('t')).toEqual([]);
      await at.advance(1001);
      expect(await at.queue.lease('t')).toHaveLength(1);
    });

    test('a message whose deliveries are used up is dead, and can be revived', async () => {
      await at.queue.enqueue([{ topic: 't', project: 'p', payload: 'bad', maxDeliveries: 2 }]);
      const [one] = await at.queue.lease('t');
      await at.queue.nack(one!, { error: 'first' });
      const [two] = await at.queue.lease('t');
      await at.queue.nack(two!, { error: 'second' });
      expect(await at.queue.lease('t')).toEqual([]);
      const [dead] = await at.queue.dead('t');
      expect(dead).toMatchObject({ payload: 'bad', deliveries: 2, error: 'second' });
      expect(await at.queue.revive(dead!.id)).toBe(true);
      expect((await at.queue.lease('t'))[0]).toMatchObject({ deliveries: 1, payload: 'bad' });
    });

    test('a consumer that dies every time does not get the message for ever', async () => {
      await at.queue.enqueue([{ topic: 't', project: 'p', payload: 'poison', maxDeliveries: 2 }]);
      for (let i = 0; i < 2; i++) {
        expect(await at.queue.lease('t', { visibilityMs: 10 })).toHaveLength(1);
        await at.advance(11);
      }
      expect(await at.queue.lease('t')).toEqual([]);
      expect(await at.queue.dead('t')).toHaveLength(1);
    });

    test('a key enqueues once while its message is unfinished', async () => {
      const message = { topic: 't', project: 'p', payload: 1, key: 'k' };
      const [first] = await at.queue.enqueue([message]);
      expect(await at.queue.enqueue([message, message])).toEqual([first, first]);
      const [leased] = await at.queue.lease('t', { limit: 10 });
      await at.queue.ack(leased!);
      expect(await at.queue.enqueue([message])).not.toEqual([first]);
    });

    test('what was enqueued survives, leases included', async () => {
      await add({ deep: [1, { two: null }] }, 'second');
      const [held] = await at.queue.lease('t', { visibilityMs: 1000 });
      const other = await at.reopen();
      const [next] = await other.lease('t');
      expect(next!.payload).toBe('second');
      expect(await other.lease('t')).toEqual([]);
      await at.advance(30_001);
      expect((await other.lease('t', { limit: 5 })).map((m) => m.payload)).toContainEqual(held!.payload);
    });

    test('payloads are immutable: changing what was passed or received changes nothing', async () => {
      const payload = { list: [1] };
      await add(payload);
      payload.list.push(2);
      const [message] = await at.queue.lease('t', { visibilityMs: 10 });
      (message!.payload as typeof payload).list.push(3);
      await at.advance(11);
      expect((await at.queue.lease('t'))[0]!.payload).toEqual({ list: [1] });
    });

    test('concurrent consumers share the messages without doubling any', async () => {
      await add(...Array.from({ length: 60 }, (_, i) => i));
      const taken: unknown[] = [];
      const consume = async () => {
        for (;;) {
          const batch = await at.queue.lease('t', { limit: 7 });
          if (batch.length === 0) return;
          taken.push(...batch.map((m) => m.payload));
          expect(await at.queue.ack(batch)).toBe(true);
        }
      };
      await Promise.all([consume(), consume(), consume()]);
      expect(taken.toSorted((a, b) => Number(a) - Number(b))).toEqual(
        Array.from({ length: 60 }, (_, i) => i),
      );
    });

    test('tells listeners that something is ready', async () => {
      let calls = 0;
      const off = at.queue.onReady('t', () => calls++);
      await add('x');
      expect(calls).toBeGreaterThan(0);
      const before = calls;
      off();
      await add('y');
      expect(calls).toBe(before);
    });
  });
}
