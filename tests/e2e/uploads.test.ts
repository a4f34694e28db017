import { createHash } from 'node:crypto';
import { existsSync, symlinkSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { routes } from '@vgpu/api';
import { type Header, pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestServer } from './harness/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ VGPU_WARM: '0' });
});
afterAll(() => server?.close());

async function tarOf(
  ...entries: [header: Partial<Header> & { name: string }, content?: string][]
): Promise<Buffer> {
  const tar = pack();
  for (const [header, content] of entries) tar.entry(header as Header, content ?? '');
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Sends bytes as a bundle. @returns the status of the answer. */
async function send(body: Uint8Array<ArrayBuffer>, hash: string): Promise<number> {
  const address = server.client.address(routes.bundles.put, { params: { hash } });
  const headers = { authorization: `Bearer ${server.token}`, 'content-type': 'application/octet-stream' };
  const response = await fetch(address, { method: 'PUT', headers, body });
  await response.text();
  return response.status;
}

const upload = (tar: Buffer, hash = createHash('sha256').update(tar).digest('hex')): Promise<number> =>
  send(gzipSync(tar), hash);

describe('a bundle that means harm is refused, and leaves nothing behind', () => {
  const script: [Partial<Header> & { name: string }, string] = [{ name: 'a.py' }, 'print(1)'];

  test.each([
    ['a path that climbs', { name: '../../escape.txt' }],
    ['an absolute path', { name: '/tmp/vgpu-escape.txt' }],
    ['a climb in the middle', { name: 'a/../../escape.txt' }],
    ['a link that leads outside', { name: 'link', type: 'symlink', linkname: '/etc/passwd' }],
    ['a hard link', { name: 'hard', type: 'link', linkname: '/etc/passwd' }],
    ['a device', { name: 'dev', type: 'character-device', devmajor: 1, devminor: 3 }],
    ['a pipe', { name: 'pipe', type: 'fifo' }],
  ] as [string, Partial<Header> & { name: string }][])('%s', async (_what, header) => {
    const status = await upload(await tarOf(script, [header]));
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(existsSync('/tmp/vgpu-escape.txt')).toBe(false);
  });

  test('bytes that are not what their hash says', async () => {
    expect(await upload(await tarOf(script), '0'.repeat(64))).toBe(422);
  });

  test('a bomb: more than a gigabyte of zeros in a megabyte', async () => {
    // A gzip file may have several members; each of these unpacks to 64 MiB.
    const member = gzipSync(Buffer.alloc(64 * 2 ** 20));
    const status = await send(Buffer.concat(Array(18).fill(member)), '1'.repeat(64));
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });

  test('no bytes at all, and bytes that are no tar', async () => {
    for (const body of [Buffer.alloc(0), Buffer.from('hello')]) {
      const status = await upload(body);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    }
  });

  test('the server is well after all that', async () => {
    expect((await server.client.call(routes.machine.health, {})).status).toBe('ok');
    expect(await upload(await tarOf(script))).toBe(200);
  });
});

describe('output files that mean harm', () => {
  test('links, pipes and odd names are not followed', async () => {
    const script = `
import os
out = os.environ['VGPU_OUTPUT']
open(f'{out}/good.txt', 'w').write('good')
os.symlink('/etc/shadow', f'{out}/shadow')
os.symlink('/', f'{out}/root')
os.mkfifo(f'{out}/pipe')
open(f'{out}/\\x1b[31mred', 'w').write('x')
os.makedirs(f'{out}/deep/er')
open(f'{out}/deep/er/file', 'w').write('deep')
`;
    const job = await server.run(script, [], 'outputs.py');
    expect(job.state, JSON.stringify(job.tasks[0]?.reason)).toBe('COMPLETED');
    const folder = `${server.work}/saved`;
    const { json } = await server.vgpu(['files', job.id, '--save', folder, '--json']);
    const kept = json.items.map((item: { path: string }) => item.path);
    expect(kept).toContain('good.txt');
    expect(kept).toContain('deep/er/file');
    expect(kept).not.toContain('shadow');
    expect(kept).not.toContain('pipe');
    expect(kept.join()).not.toContain('\u001b');
    expect(json.refused.map((one: { path: string }) => one.path).join()).toContain('shadow');
  });
});

test('a script’s folder with links to the host uploads none of the host', async () => {
  const path = server.write(
    'linked/linked.py',
    'import os\nprint(sorted(os.listdir(os.path.dirname(__file__))))\n',
  );
  symlinkSync('/etc/passwd', `${server.work}/linked/passwd`);
  symlinkSync('/etc', `${server.work}/linked/etc`);
  const done = await server.vgpu(['run', path, '--wait', '--json']);
  const { stdout } = await server.vgpu(['logs', done.json.job]);
  expect(stdout).toContain('linked.py');
  expect(stdout).not.toContain('passwd');
});
