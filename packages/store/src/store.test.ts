import type { VgpuError } from '@vgpu/core';
import { describeWorkQueue } from '@vgpu/queue/conformance';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { transition } from './events/transition.ts';
import type { Store } from './store.ts';
import { type TestDatabase, testBackends } from './testing/backends.ts';
import { addJob } from './testing/rows.ts';

for (const backend of await testBackends()) {
  describe(`store: ${backend.name}`, () => {
    let database: TestDatabase;
    let store: Store;
    beforeEach(async () => {
      database = backend.database();
      store = await database.open();
    });
    afterEach(async () => {
      await store.close();
      database.remove();
    });
    const setting = (name: string) =>
      store.read.selectFrom('settings').select('value').where('name', '=', name).executeTakeFirst();

    test('what a write acknowledged is there after opening again', async () => {
      await store.write((trx) =>
        trx.insertInto('settings').values({ project: 'p', name: 'a', value: '1' }).execute(),
      );
      await store.close();
      store = await database.open();
      expect(await setting('a')).toEqual({ value: '1' });
    });

    test('a write that throws leaves nothing, and its neighbours in the same commit stay', async () => {
      const put = (name: string, fail: boolean) =>
        store.write(async (trx) => {
          await trx.insertInto('settings').values({ project: 'p', name, value: '1' }).execute();
          if (fail) throw new Error(`no ${name}`);
          return name;
        });
      const results = await Promise.allSettled([put('a', false), put('b', true), put('c', false)]);
      expect(results.map((r) => r.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect((results[1] as PromiseRejectedResult).reason.message).toBe('no b');
      expect(await setting('a')).toBeDefined();
      expect(await setting('b')).toBeUndefined();
      expect(await setting('c')).toBeDefined();
    });

    test('readers see nothing that is not committed', async () => {
      let seen: unknown = 'not asked';
      await store.write(async (trx) => {
        await trx.insertInto('settings').values({ project: 'p', name: 'a', value: '1' }).execute();
        seen = await setting('a');
      });
      expect(seen).toBeUndefined();
      expect(await setting('a')).toBeDefined();
    });

    test('big counts and times stay exact numbers', async () => {
      const at = 2 ** 52;
      await addJob(store, { at });
      const job = await store.read.selectFrom('jobs').select('submitted_at').executeTakeFirstOrThrow();
      expect(job.submitted_at).toBe(at);
    });

    test('a transition changes task, job and events together', async () => {
      const { job, tasks } = await addJob(store, { tasks: 2 });
      const move = (
        task: string,
        to: 'SCHEDULED' | 'STARTING' | 'RUNNING' | 'COMPLETED' | 'FAILED',
        at: number,
      ) => store.write((trx) => transition(trx, store.dialect, { task, to, at }));
      const jobNow = () =>
        store.read.selectFrom('jobs').select(['state', 'started_at', 'ended_at']).executeTakeFirstOrThrow();
      await move(tasks[0]!, 'SCHEDULED', 10);
      expect(await jobNow()).toEqual({ state: 'RUNNING', started_at: 10, ended_at: null });
      await move(tasks[0]!, 'STARTING', 11);
      await move(tasks[0]!, 'RUNNING', 12);
      await move(tasks[0]!, 'COMPLETED', 13);
      expect((await jobNow()).state).toBe('RUNNING');
      await move(tasks[1]!, 'FAILED', 14);
      expect(await jobNow()).toEqual({ state: 'FAILED', started_at: 10, ended_at: 14 });
      const events = await store.read
        .selectFrom('events')
        .select(['seq', 'task', 'from_state', 'to_state'])
        .where('job', '=', job)
        .orderBy('seq')
        .execute();
      expect(events.map((e) => `${e.from_state}>${e.to_state}`)).toEqual([
        'QUEUED>SCHEDULED',
        'SCHEDULED>STARTING',
        'STARTING>RUNNING',
        'RUNNING>COMPLETED',
        'QUEUED>FAILED',
      ]);
      expect(events.map((e) => e.seq)).toEqual(events.map((e) => e.seq).toSorted((a, b) => a - b));
    });

    test('a transition that the table does not allow changes nothing', async () => {
      const { tasks } = await addJob(store, {});
      const step = store.write((trx) =>
        transition(trx, store.dialect, { task: tasks[0]!, to: 'COMPLETED', at: 1 }),
      );
      await expect(step).rejects.toMatchObject({ code: 'BAD_TRANSITION' });
      expect(await store.read.selectFrom('events').select('seq').execute()).toEqual([]);
    });

    test('an attempt that was replaced cannot report', async () => {
      const { tasks } = await addJob(store, {});
      const task = tasks[0]!;
      await store.write((trx) =>
        transition(trx, store.dialect, { task, to: 'SCHEDULED', at: 1, set: { attempt: 'att_2' } }),
      );
      const late = store.write((trx) =>
        transition(trx, store.dialect, { task, to: 'STARTING', at: 2, attempt: 'att_1' }),
      );
      await expect(late).rejects.toMatchObject({ code: 'CONFLICT' });
    });

    test('of many that try the same step at once exactly one succeeds', async () => {
      const { tasks } = await addJob(store, {});
      const results = await Promise.allSettled(
        Array.from({ length: 20 }, (_, i) =>
          store.write((trx) => transition(trx, store.dialect, { task: tasks[0]!, to: 'SCHEDULED', at: i })),
        ),
      );
      expect(results.filter((r) => r.status === 'fulfilled')).toHaveLength(1);
      const refused = results.filter((r) => r.status === 'rejected');
      expect(refused.every((r) => (r.reason as VgpuError).code === 'BAD_TRANSITION')).toBe(true);
    });

    test('deleting a job deletes its tasks and attempts', async () => {
      const { job } = await addJob(store, { tasks: 3 });
      await store.write((trx) => trx.deleteFrom('jobs').where('id', '=', job).execute());
      expect(await store.read.selectFrom('tasks').select('id').execute()).toEqual([]);
    });
  });

  describeWorkQueue(`embedded, ${backend.name}`, async () => {
    const database = backend.database();
    let time = 1_000_000;
    const open: Store[] = [];
    const openOne = async () => {
      const store = await database.open(() => time);
      open.push(store);
      return store.queue;
    };
    return {
      queue: await openOne(),
      advance: (ms) => {
        time += ms;
      },
      reopen: openOne,
      async close() {
        for (const store of open) await store.close();
        database.remove();
      },
    };
  });
}
