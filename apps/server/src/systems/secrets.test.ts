import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { routes } from '@vgpu/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestClient } from '../testing/client.ts';
import { type InProcess, startInProcess } from '../testing/in-process.ts';

const VALUE = 'hunter2-is-not-a-good-password';
let at: InProcess;
let lab: TestClient;
beforeAll(async () => {
  at = await startInProcess();
  const made = await at.client.call(routes.access.createToken, { body: { name: 'lab', project: 'lab' } });
  lab = new TestClient({ url: at.client.url, token: made.secret });
});
afterAll(() => at.close());

const set = (secret: string, value: string, client = at.client, encoding?: 'base64') =>
  client.call(routes.secrets.set, { params: { secret }, body: { value, encoding } });
const list = async (client = at.client) => (await client.call(routes.secrets.list, {})).items;
const events = () =>
  at.server.resources.store.read
    .selectFrom('events')
    .select(['project', 'kind', 'data'])
    .where('kind', 'like', 'secret%')
    .orderBy('seq', 'desc')
    .execute();

describe('secrets of a project', () => {
  test('are listed without their values, replaced in place, and removed; each leaves a record', async () => {
    const made = await set('HF_TOKEN', VALUE);
    expect(made).toMatchObject({ name: 'HF_TOKEN', bytes: VALUE.length, text: true, readable: true });
    expect(made.updatedBy).toBe('admin');
    const again = await set('HF_TOKEN', `${VALUE}!`);
    expect(again).toMatchObject({ bytes: VALUE.length + 1, createdAt: made.createdAt });
    expect(JSON.stringify(await list())).not.toContain(VALUE);
    expect((await events()).map(({ kind, data }) => [kind, JSON.parse(data!)])).toEqual([
      ['secret-set', { name: 'HF_TOKEN', user: 'admin' }],
      ['secret-set', { name: 'HF_TOKEN', user: 'admin' }],
    ]);
    await at.client.call(routes.secrets.remove, { params: { secret: 'HF_TOKEN' } });
    expect(await list()).toEqual([]);
    expect((await events())[0]).toMatchObject({ kind: 'secret-removed', project: 'default' });
    await expect(
      at.client.call(routes.secrets.remove, { params: { secret: 'HF_TOKEN' } }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('bad names and values are refused', async () => {
    await expect(set('../x', VALUE)).rejects.toMatchObject({ code: 'BAD_NAME' });
    await expect(set('A', '')).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    await expect(set('A', 'x'.repeat(65537))).rejects.toMatchObject({ code: 'TOO_LARGE' });
    const wrong = set('A', 'no*base64', at.client, 'base64');
    await expect(wrong).rejects.toMatchObject({ code: 'BAD_REQUEST', message: 'the value is not Base64' });
    expect((await set('full', 'x'.repeat(65536))).bytes).toBe(65536);
  });

  test('belong to it alone', async () => {
    await set('OURS', VALUE);
    await set('OURS', 'the lab’s own value', lab);
    expect(await list(lab)).toHaveLength(1);
    const reader = await at.client.call(routes.access.createToken, { body: { name: 'r', scopes: ['read'] } });
    const read = new TestClient({ url: at.client.url, token: reader.secret });
    expect((await list(read)).map((one) => one.name)).toContain('OURS');
    await expect(set('OURS', 'x', read)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(lab.call(routes.secrets.rotateKey, {})).rejects.toMatchObject({ code: 'FORBIDDEN' });
    // A row that is moved to another project, or renamed, does not open there.
    const { store, secrets } = at.server.resources;
    await store.write((trx) =>
      trx
        .updateTable('secrets')
        .set({ project: 'lab', name: 'STOLEN' })
        .where('name', '=', 'OURS')
        .where('project', '=', 'default')
        .execute(),
    );
    await expect(secrets.forLaunch('lab', [{ name: 'STOLEN' }])).rejects.toMatchObject({
      code: 'SECRET_UNREADABLE',
    });
  });

  test('lie in the database sealed, under a key that only the server’s user can read', async () => {
    await set('AT_REST', VALUE);
    const { home } = at.config;
    expect(statSync(join(home, 'secret.key')).mode & 0o777).toBe(0o600);
    const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
    expect(files.map((one) => one.name)).toContain('state.db');
    for (const one of files) {
      const bytes = readFileSync(join(one.parentPath, one.name));
      expect(bytes.includes(VALUE), one.name).toBe(false);
      expect(bytes.includes(Buffer.from(VALUE).toString('base64')), one.name).toBe(false);
    }
  });
});

describe('jobs', () => {
  test('get the values that they name; what is missing is told at submission', async () => {
    const { secrets } = at.server.resources;
    await set('KEY', VALUE);
    await set('RAW', Buffer.from([1, 0, 255]).toString('base64'), at.client, 'base64');
    const job = await at.client.submit('print(1)', { secrets: ['KEY', { name: 'RAW', file: 'raw.bin' }] });
    expect(job.spec).toMatchObject({ secrets: [{ name: 'KEY' }, { name: 'RAW', file: 'raw.bin' }] });
    expect(
      await secrets.forLaunch('default', [
        { name: 'KEY', env: 'K' },
        { name: 'RAW', file: 'r' },
      ]),
    ).toEqual([
      { file: 'KEY', value: Buffer.from(VALUE), env: 'K' },
      { file: 'r', value: Buffer.from([1, 0, 255]) },
    ]);
    const missing = at.client.submit('print(1)', { secrets: ['KEY', 'NOWHERE'] });
    await expect(missing).rejects.toMatchObject({
      code: 'SECRET_MISSING',
      message: expect.stringContaining('"NOWHERE"'),
    });
    const binary = at.client.submit('print(1)', { secrets: [{ name: 'RAW', env: 'RAW' }] });
    await expect(binary).rejects.toMatchObject({
      code: 'SECRET_UNREADABLE',
      message: expect.stringContaining('not text'),
    });
    const theirs = lab.submit('print(1)', { secrets: ['KEY'] });
    await expect(theirs).rejects.toMatchObject({ code: 'SECRET_MISSING' });
  });
});

describe('a new key', () => {
  test('seals every secret of every project; values set meanwhile are not lost', async () => {
    const { secrets, store } = at.server.resources;
    await set('SEALED', VALUE);
    const before = await store.read.selectFrom('secrets').selectAll().execute();
    const [, done] = await Promise.all([
      set('MEANWHILE', 'set while the key changes'),
      at.client.call(routes.secrets.rotateKey, {}),
      set('AFTER', 'set while the key changes'),
    ]);
    const rows = await store.read.selectFrom('secrets').selectAll().execute();
    const openable = rows.filter((row) => row.name !== 'STOLEN');
    expect(new Set(openable.map((row) => row.key_id))).toEqual(new Set([done.key]));
    expect(before.map((row) => row.key_id)).not.toContain(done.key);
    for (const name of ['SEALED', 'MEANWHILE', 'AFTER']) await secrets.check('default', [{ name }]);
    expect(readFileSync(join(at.config.home, 'secret.key'), 'utf8').match(/"id"/g)).toHaveLength(1);
    expect((await events()).map((event) => event.kind)).toContain('secret-key-rotated');
  });
});
