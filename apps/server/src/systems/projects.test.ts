import { routes } from '@vgpu/api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestClient } from '../testing/client.ts';
import { type InProcess, startInProcess } from '../testing/in-process.ts';

let at: InProcess;
let lab: TestClient;
beforeAll(async () => {
  at = await startInProcess({ config: { cpuMilli: 8000, memoryBytes: 16 * 2 ** 30 } });
  const made = await at.client.call(routes.access.createToken, { body: { name: 'lab', project: 'lab' } });
  lab = new TestClient({ url: at.client.url, token: made.secret });
});
afterAll(() => at.close());

const set = (project: string, body: object) =>
  at.client.call(routes.projects.set, { params: { project }, body });

test('a change keeps what it does not name, and null takes a bound away', async () => {
  expect(await set('lab', { quota: { cpu: 1000 }, limit: { cpu: 2000, memory: 2 ** 30 } })).toMatchObject({
    name: 'lab',
    parent: null,
    quota: { gpu: null, cpu: 1000, memory: null },
    limit: { gpu: null, cpu: 2000, memory: 2 ** 30 },
    overQuotaWeight: 1,
    allowEgress: false,
    used: { gpu: 0, cpu: 0, memory: 0 },
    running: 0,
  });
  const next = await set('lab', { limit: { memory: null }, overQuotaWeight: 2 });
  expect(next).toMatchObject({
    limit: { cpu: 2000, memory: null },
    quota: { cpu: 1000 },
    overQuotaWeight: 2,
  });
});

test('a task that its project can never hold is refused, by the limits above it too', async () => {
  await set('faculty', { limit: { cpu: 1500, gpu: 500 } });
  await set('lab', { parent: 'faculty', limit: { cpu: 2000, memory: null } });
  const submit = (cpu: number, more = {}) => lab.submit('print(1)', { resources: { cpu, ...more } });
  await expect(submit(3)).rejects.toMatchObject({
    code: 'QUOTA_EXCEEDED',
    message: expect.stringContaining('lab may hold 2 CPU'),
  });
  await expect(submit(1.8)).rejects.toMatchObject({
    message: expect.stringContaining('faculty may hold 1.5 CPU'),
  });
  expect((await submit(1.5)).state).toBe('QUEUED');
  // Without a weight the quota itself is the bound.
  await set('lab', { parent: null, quota: { cpu: 500 }, overQuotaWeight: 0 });
  await expect(submit(1)).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
  const { items } = await lab.call(routes.projects.list, {});
  expect(items).toMatchObject([{ name: 'lab', waiting: 1 }]);
});

test('projects stay a tree', async () => {
  await set('above', {});
  await set('below', { parent: 'above' });
  await expect(set('above', { parent: 'below' })).rejects.toMatchObject({ code: 'CONFLICT' });
  await expect(set('above', { parent: 'above' })).rejects.toMatchObject({ code: 'CONFLICT' });
  await expect(set('below', { parent: 'nowhere' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(set('../x', {})).rejects.toMatchObject({ code: 'BAD_NAME' });
});

test('egress is given and taken by project; only administrators change or see others', async () => {
  const egress = () => lab.submit('print(1)', { network: 'egress', resources: { cpu: 0.5 } });
  await expect(egress()).rejects.toMatchObject({ code: 'EGRESS_DENIED' });
  await set('lab', { allowEgress: true });
  expect((await egress()).spec).toMatchObject({ network: 'egress' });
  await expect(
    lab.call(routes.projects.set, { params: { project: 'lab' }, body: { limit: { cpu: null } } }),
  ).rejects.toMatchObject({ code: 'FORBIDDEN' });
  const all = await at.client.call(routes.projects.list, {});
  expect(all.items.map((one) => one.name)).toEqual(expect.arrayContaining(['default', 'faculty', 'lab']));
});
