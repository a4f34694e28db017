import { routes } from '@vgpu/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type InProcess, startInProcess } from '../testing/in-process.ts';

let at: InProcess;
beforeAll(async () => {
  at = await startInProcess();
});
afterAll(() => at.close());

const stop = (job: string) => at.client.call(routes.jobs.stop, { params: { job } });

describe('submitting', () => {
  test('the same key and request give the same job; another request with the key is refused', async () => {
    const [one, two] = await Promise.all([
      at.client.submit('print(1)', { name: 'keyed' }, 'k1'),
      at.client.submit('print(1)', { name: 'keyed' }, 'k1'),
    ]);
    expect(two!.id).toBe(one!.id);
    expect((await at.client.call(routes.jobs.list, { query: { search: 'keyed' } })).total).toBe(1);
    await expect(at.client.submit('print(1)', { name: 'else' }, 'k1')).rejects.toMatchObject({
      code: 'IDEMPOTENCY_MISMATCH',
    });
  });

  test('without an engine a task waits and says why', async () => {
    const job = await at.client.submit('print(1)');
    const waiting = await at.client.until(job.id, (now) => now.tasks[0]!.waiting !== null);
    expect(waiting.tasks[0]!.waiting).toMatchObject({
      code: 'engine',
      hint: expect.stringContaining('doctor'),
    });
    const queue = await at.client.call(routes.machine.queue, {});
    expect(queue.items.map((item) => item.task)).toContain(job.tasks[0]!.id);
  });

  test('a preview stores nothing', async () => {
    const before = (await at.client.call(routes.jobs.list, {})).total;
    const preview = await at.client.call(routes.jobs.preview, { body: { spec: { script: 'x.py' } } });
    expect(preview.tasks).toMatchObject([{ name: 'task-01', dataset: null }]);
    expect(preview.warnings.join(' ')).toContain('engine');
    expect((await at.client.call(routes.jobs.list, {})).total).toBe(before);
  });

  test('the stored spec has its defaults, in bytes, milliseconds and thousandths', async () => {
    const job = await at.client.submit('print(1)', {
      resources: { memory: '1GiB', cpu: 0.5 },
      limits: { time: '2m' },
    });
    expect(job.spec).toMatchObject({
      image: 'sklearn',
      resources: { memory: 2 ** 30, cpu: 500 },
      limits: { time: 120_000, output: 2 ** 28 },
    });
  });
});

describe('finding', () => {
  test('a job by id, by the start of it, by name (its newest), and as the latest', async () => {
    const old = await at.client.submit('print(1)', { name: 'twice' });
    const young = await at.client.submit('print(2)', { name: 'twice' });
    const found = async (ref: string) => (await at.client.job(ref)).id;
    expect(await found(old.id)).toBe(old.id);
    expect(await found(old.id.slice(0, -2))).toBe(old.id);
    expect(await found('twice')).toBe(young.id);
    expect(await found('latest')).toBe(young.id);
    await expect(found('job_1')).rejects.toMatchObject({ code: 'AMBIGUOUS' });
    await expect(found('none')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('pages follow each other without gaps or doubles, whatever they are sorted by', async () => {
    for (const name of ['b', 'a', 'c', 'a']) await at.client.submit('print(1)', { name });
    for (const sort of ['submittedAt', 'name', 'state', 'endedAt', 'priority'] as const) {
      const ids: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await at.client.call(routes.jobs.list, {
          query: { limit: 3, sort, order: 'asc', cursor },
        });
        ids.push(...page.items.map((item) => item.id));
        cursor = page.next ?? undefined;
      } while (cursor);
      const all = await at.client.call(routes.jobs.list, { query: { limit: 1000, sort, order: 'asc' } });
      expect(ids).toEqual(all.items.map((item) => item.id));
      expect(new Set(ids).size).toBe(all.total);
    }
    const broken = at.client.call(routes.jobs.list, { query: { cursor: 'nonsense' } });
    await expect(broken).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });
});

describe('ending', () => {
  test('a waiting job is cancelled, retried, and deleted once it has ended', async () => {
    const job = await at.client.submit('print(1)');
    const remove = () => at.client.call(routes.jobs.remove, { params: { job: job.id } });
    await expect(remove()).rejects.toMatchObject({ code: 'CONFLICT' });
    const stopped = await stop(job.id);
    expect(stopped).toMatchObject({
      state: 'CANCELLED',
      tasks: [{ reason: { code: 'STOPPED', message: 'stopped by admin' } }],
    });
    const again = await at.client.call(routes.jobs.retry, { params: { job: job.id } });
    expect(again).toMatchObject({ state: 'QUEUED', endedAt: null, tasks: [{ reason: null, endedAt: null }] });
    const nothing = at.client.call(routes.tasks.retry, { params: { task: job.tasks[0]!.id } });
    await expect(nothing).rejects.toMatchObject({ code: 'BAD_TRANSITION' });
    await stop(job.id);
    await remove();
    await expect(at.client.job(job.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

test('the stream tells which jobs changed, and goes on from an offset', async () => {
  const token = await at.client.call(routes.access.createToken, { body: { name: 'stream' } });
  const open = (from?: number) => {
    const socket = new WebSocket(`${at.client.url.replace('http', 'ws')}/v1/stream`, {
      headers: { authorization: `Bearer ${token.secret}` },
    } as never);
    const frames: { type: string; topic: string; next: number; ids: string[] }[] = [];
    socket.onmessage = (message) => frames.push(JSON.parse(String(message.data)));
    socket.onopen = () =>
      socket.send(
        JSON.stringify({ op: 'subscribe', topic: 'jobs', ...(from === undefined ? {} : { from }) }),
      );
    const until = async (fits: () => boolean) => {
      while (!fits()) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    return { socket, frames, until };
  };
  const first = open();
  await first.until(() => first.frames.length > 0);
  const job = await at.client.submit('print(1)');
  await first.until(() => first.frames.some((frame) => frame.ids.includes(job.id)));
  const { next } = first.frames.at(-1)!;
  first.socket.close();
  const missed = await at.client.submit('print(2)');
  const second = open(next);
  await second.until(() => second.frames.length > 0);
  expect(second.frames[0]!.ids).toEqual([missed.id]);
  second.socket.close();
});

test('Prometheus gets numbers', async () => {
  const token = await at.client.call(routes.access.createToken, {
    body: { name: 'scraper', scopes: ['read'] },
  });
  const page = await fetch(`${at.client.url}/metrics`, {
    headers: { authorization: `Bearer ${token.secret}` },
  });
  expect(await page.text()).toMatch(/vgpu_tasks\{state="QUEUED"\} \d+/);
});
