import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { zstdDecompressSync } from 'node:zlib';
import { type Job, routes } from '@vgpu/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askEngine, containersOf } from './harness/engine-view.ts';
import { eventually } from './harness/eventually.ts';
import { TestServer } from './harness/test-server.ts';

const VALUE = 'hunter2-is-seen-by-nobody';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ VGPU_CPU: '1', VGPU_WARM: '1' });
});
afterAll(() => server?.close());

const set = (name: string, value: string) => server.vgpu(['secret', 'set', name], { stdin: value });

/** Header of a chunk of a log: its mark, then the rest of 40 bytes; zstd follows. */
const CHUNK_MARK = 'VLG1';
const CHUNK_HEADER = 40;

/** Every file under a folder as it is, and the chunks of logs unpacked. */
function* contents(folder: string): Generator<[path: string, bytes: Buffer]> {
  for (const one of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!one.isFile()) continue;
    const path = join(one.parentPath, one.name);
    const bytes = readFileSync(path);
    yield [path, bytes];
    for (let at = bytes.indexOf(CHUNK_MARK); at >= 0; ) {
      const next = bytes.indexOf(CHUNK_MARK, at + CHUNK_HEADER);
      yield [path, zstdDecompressSync(bytes.subarray(at + CHUNK_HEADER, next < 0 ? bytes.length : next))];
      at = next;
    }
  }
}

/** Where under the server's home a value lies, in any form that is not sealed. */
const foundAt = (value: string): string[] => {
  const forms = [
    value,
    Buffer.from(value).toString('base64').replace(/=+$/, ''),
    Buffer.from(value).toString('hex'),
  ];
  return [...contents(server.home)]
    .filter(([, bytes]) => forms.some((form) => bytes.includes(form)))
    .map(([path]) => path);
};

const script = `
import os, stat, sys, time
began = time.time()
value = open('/run/secrets/TOKEN').read()
mode = stat.S_IMODE(os.stat('/run/secrets/TOKEN').st_mode)
print('has', len(value), value == os.environ.get('MY_TOKEN'), oct(mode), flush=True)
for letter in 'split ' + value + ' over writes\\n':
    os.write(1, letter.encode())
print('and', value, file=sys.stderr, flush=True)
print('\\r50% ' + value, end='', flush=True)
print()
import vgpu
vgpu.progress(1, 2, value)
while not os.path.exists('/vgpu/out/stop'):
    time.sleep(0.05)
    if time.time() > began + 3:
        break
raise RuntimeError('bad value ' + value)
`;

describe('a secret', () => {
  test('is set through a pipe or from a file, never as an argument, and never shown', async () => {
    const done = await set('TOKEN', `${VALUE}\n`);
    expect(done.code, done.stderr).toBe(0);
    expect(done.stdout).toContain(`${VALUE.length} B`);
    const file = server.write('key.bin', new Uint8Array([0, 1, 255]));
    expect((await server.vgpu(['secret', 'set', 'key', '--from-file', file])).code).toBe(0);
    const argument = await server.vgpu(['secret', 'set', 'TOKEN', VALUE]);
    expect(argument.code).toBe(2);
    expect(argument.stderr).not.toContain(VALUE);
    expect((await server.vgpu(['secret', 'set', 'TOKEN'], { stdin: '' })).code).toBe(2);
    expect((await server.vgpu(['secret', 'set', 'no/name'], { stdin: 'x' })).code).toBe(2);
    expect((await server.vgpu(['secret', 'set', 'x', '--from-file', 'missing'])).code).toBe(2);
    const list = await server.vgpu(['secret', 'ls', '--json']);
    expect(list.json).toMatchObject([
      { name: 'TOKEN', bytes: VALUE.length, text: true, readable: true },
      { name: 'key', bytes: 3, text: false },
    ]);
    expect(list.stdout + (await server.vgpu(['secret', 'ls'])).stdout).not.toContain(VALUE);
    expect(statSync(join(server.home, 'secret.key')).mode & 0o777).toBe(0o600);
  });

  test.each(['warm', 'cold'])('reaches a %s worker and nothing else', async (kind) => {
    if (kind === 'warm') {
      await eventually('a warm worker is ready', async () => {
        const { services } = await server.client.call(routes.machine.topology, {});
        return services.some((one) => one.kind === 'warm' && one.state !== 'starting');
      });
    }
    const path = server.write(`${kind}/${kind}.py`, script);
    // More output than memory holds takes a folder on disk, which no warm worker has.
    const spec = server.write(
      `${kind}/job.yaml`,
      `script: ${path}\nsecrets: [{name: TOKEN, env: MY_TOKEN}, {name: key, file: key.bin}]\n${kind === 'cold' ? 'limits: {output: 1GiB}\n' : ''}`,
    );
    const { json } = await server.vgpu(['apply', spec, '--json']);
    const task = await eventually('it prints', async () => {
      const one = (await server.job(json.job)).tasks[0];
      return one && one.lines >= 4 && one;
    });
    const containers = await containersOf(server.home);
    const mine = containers.find((one) => one.Names?.some((name) => name.startsWith(`/${task.worker}-`)));
    expect(mine, JSON.stringify(containers)).toBeDefined();
    const inspected = JSON.stringify(await askEngine(`/containers/${mine!.Id}/json`));
    expect(inspected).toContain('/run/secrets');
    expect(inspected).not.toContain(VALUE);
    expect(inspected).not.toContain('MY_TOKEN');
    expect(mine!.Labels!['dev.vgpu.role']).toBe(kind === 'warm' ? 'warm' : 'worker');

    const end = await server.ended(json.job);
    expect(end.tasks[0]!.reason).toMatchObject({
      code: 'SCRIPT_EXCEPTION',
      message: 'RuntimeError: bad value ***',
    });
    const logs = await server.vgpu(['logs', json.job]);
    expect(logs.stdout).toContain(`has ${VALUE.length} True 0o400`);
    expect(logs.stdout).toContain('split *** over writes');
    expect(logs.stdout).toContain('and ***');
    expect(logs.stdout).toContain('50% ***');
    const told = [
      logs,
      await server.vgpu(['show', json.job]),
      await server.vgpu(['show', json.job, '--json']),
      await server.vgpu(['export', json.job, '--format', 'json']),
      await server.vgpu(['ps', '--json']),
      await server.vgpu(['top', '--json']),
    ];
    for (const one of told) expect(one.stdout + one.stderr).not.toContain(VALUE);
    expect(end.spec).toMatchObject({
      secrets: [
        { name: 'TOKEN', env: 'MY_TOKEN' },
        { name: 'key', file: 'key.bin' },
      ],
    });
    expect(foundAt(VALUE), 'files under VGPU_HOME').toEqual([]);
    expect(foundAt('split *** over'), 'the search itself finds what was logged').not.toEqual([]);
    const left = await containersOf(server.home);
    expect(left.filter((one) => one.Id === mine!.Id)).toEqual([]);
  });

  test('that is not there is told at submission', async () => {
    const path = server.write('none/none.py', 'print(1)\n');
    const done = await server.vgpu(['run', path, '--secret', 'NOWHERE', '--json']);
    expect(done.code).toBe(1);
    expect(JSON.parse(done.stderr.trim().split('\n').at(-1)!).error).toMatchObject({
      code: 'SECRET_MISSING',
      hint: expect.stringContaining('vgpu secret set NOWHERE'),
    });
  });

  test('that is deleted while a task waits fails that task; set again, a retry works', async () => {
    await set('SHORT_LIVED', 'first-value');
    const blocker = server.write('block/block.py', 'import time; time.sleep(60)\n');
    const waits = server.write('waits/waits.py', 'print(open("/run/secrets/SHORT_LIVED").read()[::-1])\n');
    const first = (await server.vgpu(['run', blocker, '--json'])).json.job;
    const second = (await server.vgpu(['run', waits, '--secret', 'SHORT_LIVED', '--json'])).json.job;
    expect((await server.vgpu(['secret', 'rm', 'SHORT_LIVED'])).code).toBe(0);
    expect((await server.vgpu(['stop', first])).code).toBe(0);
    const failed = await server.ended(second);
    expect(failed.tasks[0]).toMatchObject({ state: 'FAILED', reason: { code: 'SECRET_MISSING' } });
    expect((await server.vgpu(['secret', 'rm', 'SHORT_LIVED'])).code).toBe(1);

    await set('SHORT_LIVED', 'second-value');
    expect((await server.vgpu(['retry', second])).code).toBe(0);
    expect((await server.vgpu(['wait', second])).code).toBe(0);
    expect((await server.vgpu(['logs', second])).stdout).toContain('eulav-dnoces');
  });

  test('stays masked and readable over a killed server and a new key', async () => {
    const path = server.write(
      'kill/kill.py',
      'import time\nfor i in range(40):\n    print(i, open("/run/secrets/TOKEN").read(), flush=True)\n    time.sleep(0.1)\n',
    );
    const { json } = await server.vgpu(['run', path, '--secret', 'TOKEN', '--json']);
    await eventually('it prints', async () => (await server.job(json.job)).tasks[0]!.lines > 2);
    await server.kill();
    await server.up();
    const rotated = await server.vgpu(['secret', 'rotate-key', '--json']);
    expect(rotated.json).toMatchObject({ secrets: 3 });
    expect((await server.vgpu(['wait', json.job])).code).toBe(0);
    const { stdout } = await server.vgpu(['logs', json.job]);
    expect(stdout.match(/\*\*\*/g)).toHaveLength(40);
    expect(stdout).not.toContain(VALUE);
    const again = await server.vgpu(['run', path, '--secret', 'TOKEN', '--wait', '--json']);
    expect(again.code, again.stderr).toBe(0);
    expect(foundAt(VALUE)).toEqual([]);
  });

  test('is never lost to a server that is killed while the key changes', async () => {
    const names = Array.from({ length: 96 }, (_, i) => `ROTATED_${i}`);
    for (const name of names) {
      const body = { value: `value of ${name}` };
      await server.client.call(routes.secrets.set, { params: { secret: name }, body });
    }
    const sum = (text: string) => createHash('sha256').update(text).digest('hex');
    const keys = () => JSON.parse(readFileSync(join(server.home, 'secret.key'), 'utf8')).keys as unknown[];

    const began = performance.now();
    await server.client.call(routes.secrets.rotateKey, {});
    const whole = performance.now() - began;
    for (const part of [0.05, 0.2, 0.4, 0.6, 0.8, 1]) {
      // The answer may come before the kill, or never.
      const rotation = server.client.call(routes.secrets.rotateKey, {}).catch(() => undefined);
      await sleep(whole * part);
      await server.kill();
      await rotation;
      await server.up();
      const { items } = await server.client.call(routes.secrets.list, {});
      expect(items.filter((one) => !one.readable)).toEqual([]);
      expect(items.length).toBeGreaterThanOrEqual(names.length);
    }
    const path = server.write(
      'sums/sums.py',
      `import hashlib, os
for name in os.listdir('/run/secrets'):
    print(hashlib.sha256(open('/run/secrets/' + name, 'rb').read()).hexdigest())
`,
    );
    // As many as one job may name.
    for (let from = 0; from < names.length; from += 16) {
      const some = names.slice(from, from + 16);
      const job = await server.vgpu([
        'run',
        path,
        ...some.flatMap((name) => ['--secret', name]),
        '--wait',
        '--json',
      ]);
      const { stdout } = await server.vgpu(['logs', (job.json as Job).id]);
      for (const name of some) expect(stdout).toContain(sum(`value of ${name}`));
    }
    // The next rotation ends what a kill cut short: one key is left, and everything opens with it.
    await server.client.call(routes.secrets.rotateKey, {});
    expect(keys()).toHaveLength(1);
    const { items } = await server.client.call(routes.secrets.list, {});
    expect(items.filter((one) => !one.readable)).toEqual([]);
  });
});
