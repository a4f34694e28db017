import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { routes, VgpuClient } from '@vgpu/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createServer } from '../create-server.ts';
import { bundleOf, filesBundle } from '../testing/bundle.ts';
import { type InProcess, startInProcess } from '../testing/in-process.ts';

let at: InProcess;
let page: string;
beforeAll(async () => {
  page = mkdtempSync(join(tmpdir(), 'vgpu-page-'));
  mkdirSync(join(page, 'assets'));
  writeFileSync(join(page, 'index.html'), '<!doctype html><title>page</title>');
  writeFileSync(join(page, 'assets', 'app-0123abcd.js'), 'x');
  writeFileSync(join(page, 'assets', 'app-0123abcd.js.br'), 'brotli');
  at = await startInProcess({ config: { dashboard: page } });
});
afterAll(async () => {
  await at.close();
  rmSync(page, { recursive: true, force: true });
});

const token = () => readFileSync(join(at.config.home, 'token'), 'utf8').trim();
const get = (path: string, headers: Record<string, string> = {}) => fetch(at.client.url + path, { headers });
/** A raw request, for headers that `fetch` does not let one set. */
const raw = (path: string, headers: Record<string, string>, method = 'GET') =>
  new Promise<number>((resolve, reject) => {
    httpRequest(at.client.url + path, { method, headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });

describe('who may do what', () => {
  test('the admin token is for its owner alone, and only its hash is stored', () => {
    expect(statSync(join(at.config.home, 'token')).mode & 0o777).toBe(0o600);
    const database = readFileSync(join(at.config.home, 'state.db'));
    const log = readFileSync(join(at.config.home, 'state.db-wal'));
    expect(database.includes(token())).toBe(false);
    expect(log.includes(token())).toBe(false);
  });

  test('without a token there is health and nothing else', async () => {
    expect((await get('/v1/health')).status).toBe(200);
    for (const path of ['/v1/jobs', '/v1/whoami', '/v1/topology', '/metrics', '/proxy/x/80/']) {
      expect((await get(path)).status).toBe(401);
    }
    expect((await get('/v1/jobs', { authorization: 'Bearer vgpu_wrong' })).status).toBe(401);
  });

  test('scopes bound a token, and a revoked one is worth nothing', async () => {
    const made = await at.client.call(routes.access.createToken, {
      body: { name: 'reader', scopes: ['read'] },
    });
    const reader = new VgpuClient({ url: at.client.url, token: made.secret });
    expect(await reader.call(routes.access.whoami, {})).toMatchObject({ scopes: ['read'] });
    await expect(reader.call(routes.jobs.stop, { params: { job: 'latest' } })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    await expect(reader.call(routes.access.tokens, {})).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await at.client.call(routes.access.revokeToken, { params: { token: made.id } });
    await expect(reader.call(routes.access.whoami, {})).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('a token of another project sees nothing of this one', async () => {
    await at.client.upload({ 'main.py': 'print(1)' });
    const job = await at.client.submit('print(1)');
    const made = await at.client.call(routes.access.createToken, {
      body: { name: 'other', project: 'other' },
    });
    const other = new VgpuClient({ url: at.client.url, token: made.secret });
    expect((await other.call(routes.jobs.list, {})).total).toBe(0);
    for (const ref of [job.id, job.name, 'latest']) {
      await expect(other.call(routes.jobs.get, { params: { job: ref } })).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
    }
    const task = job.tasks[0]!.id;
    await expect(other.call(routes.tasks.logs, { params: { task } })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    const spec = { script: 'main.py', network: 'egress' };
    const { hash, body } = await filesBundle({ 'main.py': 'print(1)' });
    await expect(other.call(routes.jobs.submit, { body: { spec, bundle: hash } })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await other.call(routes.bundles.put, { params: { hash }, body: body as never });
    await expect(other.call(routes.jobs.submit, { body: { spec, bundle: hash } })).rejects.toMatchObject({
      code: 'EGRESS_DENIED',
    });
  });
});

describe('browsers', () => {
  test('a foreign host name is refused, as DNS rebinding would bring it', async () => {
    expect(await raw('/v1/health', { host: 'evil.example' })).toBe(400);
    expect(await raw('/v1/health', { host: 'localhost:1' })).toBe(200);
  });

  test('the session cookie is out of reach of scripts and of other sites', async () => {
    const signIn = await fetch(`${at.client.url}/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token: token() }),
    });
    const set = signIn.headers.get('set-cookie')!;
    expect(set).toMatch(/HttpOnly/);
    expect(set).toMatch(/SameSite=Strict/);
    expect(set).not.toContain(token());
    const cookie = set.split(';')[0]!;
    expect(await raw('/v1/whoami', { cookie })).toBe(200);
    const stop = '/v1/jobs/none/stop';
    expect(await raw(stop, { cookie, origin: at.client.url }, 'POST')).toBe(404);
    expect(await raw(stop, { cookie, origin: 'http://evil.example' }, 'POST')).toBe(403);
    expect(await raw(stop, { cookie, 'sec-fetch-site': 'cross-site' }, 'POST')).toBe(403);
    expect(await raw('/v1/whoami', { cookie: `${cookie.slice(0, -3)}abc` })).toBe(401);
  });

  test('the page is served packed, with its policy; its paths lead to it, unknown files do not', async () => {
    const index = await get('/');
    expect(index.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(await (await get('/jobs/some/page')).text()).toContain('<title>page</title>');
    const packed = await get('/assets/app-0123abcd.js', { 'accept-encoding': 'br' });
    expect(packed.headers.get('content-encoding')).toBe('br');
    expect(packed.headers.get('cache-control')).toContain('immutable');
    expect((await get('/assets/none.js')).status).toBe(404);
    expect((await get('/v1/none')).status).toBe(404);
  });
});

test('the reference lists every route of the contract', async () => {
  const reference = (await (await get('/docs/json')).json()) as {
    paths: Record<string, Record<string, unknown>>;
  };
  for (const group of Object.values(routes)) {
    for (const route of Object.values(group)) {
      const path = route.path.replace(/:(\w+)/g, '{$1}').replace(/\*$/, '{*}');
      expect(reference.paths[path], route.path).toHaveProperty(route.method.toLowerCase());
    }
  }
});

test('a second server with the same home is refused', async () => {
  await expect(createServer(at.config)).rejects.toMatchObject({
    code: 'SERVER_RUNNING',
    details: { pid: String(process.pid) },
  });
});

test('errors come as the catalogue says, with a suggestion for a mistyped key', async () => {
  const { hash, body } = await filesBundle({ 'main.py': 'print(1)' });
  await at.client.call(routes.bundles.put, { params: { hash }, body: body as never });
  const submit = (spec: Record<string, unknown>) =>
    at.client.call(routes.jobs.submit, { body: { spec: { script: 'main.py', ...spec }, bundle: hash } });
  await expect(submit({ imgae: 'x' })).rejects.toMatchObject({
    code: 'UNKNOWN_KEY',
    hint: expect.stringContaining('image'),
  });
  await expect(submit({ script: '../../etc/passwd' })).rejects.toMatchObject({ code: 'BAD_SPEC' });
  await expect(submit({ script: '/etc/passwd' })).rejects.toMatchObject({ code: 'BAD_SPEC' });
  await expect(submit({ data: [{ dataset: 'none' }] })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(submit({ data: [{ path: 'a.csv' }] })).rejects.toMatchObject({ code: 'BAD_SPEC' });
  await expect(submit({ resources: { cpu: 100_000 } })).rejects.toMatchObject({ code: 'UNSATISFIABLE' });
  await expect(submit({ resources: { gpu: 1.5 } })).rejects.toMatchObject({ code: 'BAD_SPEC' });
});

test('hostile bundles are refused and leave nothing', async () => {
  const file = { name: 'main.py', content: 'print(1)' };
  const hostile = {
    'leads out': await bundleOf([file, { name: '../escape.py', content: 'x' }]),
    'leads out deep': await bundleOf([{ name: 'a/../../escape.py', content: 'x' }]),
    absolute: await bundleOf([{ name: '/etc/cron.d/x', content: 'x' }]),
    symlink: await bundleOf([{ name: 'link', type: 'symlink', linkname: '/etc/passwd' }]),
    hardlink: await bundleOf([{ name: 'link', type: 'link', linkname: 'main.py' }]),
    device: await bundleOf([{ name: 'null', type: 'character-device', devmajor: 1, devminor: 3 }]),
    fifo: await bundleOf([{ name: 'pipe', type: 'fifo' }]),
    double: await bundleOf([file, file]),
    'file as folder': await bundleOf([file, { name: 'main.py/x', content: 'x' }]),
    'other content': { ...(await filesBundle({ a: '1' })), hash: 'a'.repeat(64) },
    'no gzip': { hash: 'b'.repeat(64), body: Buffer.from('hello') },
  };
  for (const [what, { hash, body }] of Object.entries(hostile)) {
    const put = at.client.call(routes.bundles.put, { params: { hash }, body: body as never });
    await expect(put, what).rejects.toMatchObject({ code: 'BAD_BUNDLE' });
    const exists = at.client.call(routes.bundles.exists, { params: { hash } });
    await expect(exists, what).rejects.toThrow();
  }
  const sound = await filesBundle({ 'a/b.py': 'print(1)', 'main.py': 'x' });
  const put = () =>
    at.client.call(routes.bundles.put, { params: { hash: sound.hash }, body: sound.body as never });
  expect(await Promise.all([put(), put()])).toEqual(
    Array.from({ length: 2 }, () => ({ hash: sound.hash, files: 2, bytes: 9 })),
  );
});
