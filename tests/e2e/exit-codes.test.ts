import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from './harness/run-cli.ts';
import { TestServer } from './harness/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server?.close());

const errorOf = (stderr: string) => JSON.parse(stderr.trim().split('\n').at(-1)!).error;

test('0 when every task completed, 1 when one did not', async () => {
  const good = server.write('good/good.py', 'print("fine")\n');
  const bad = server.write('bad/bad.py', 'raise SystemExit(3)\n');
  expect((await server.vgpu(['run', good, '--wait'])).code).toBe(0);
  expect((await server.vgpu(['run', bad, '--name', 'bad', '--wait'])).code).toBe(1);
  expect((await server.vgpu(['wait', 'bad'])).code).toBe(1);
  expect((await server.vgpu(['run', bad])).code, 'without --wait the submission is what counts').toBe(0);
});

test.each([
  [['run']],
  [['run', 'x.py', '--no-such-flag']],
  [['rnu', 'x.py']],
  [['run', 'missing.py']],
  [['run', 'here/here.py', '--cpu', 'many']],
  [['run', 'here/here.py', '--memory', '5 bananas']],
  [['run', 'here/here.py', '--time', 'soon']],
  [['run', 'here/here.py', '--env', '=x']],
  [['run', 'here/here.py', '--retries', 'a']],
  [['run', 'here/here.py', '--data', 'missing.csv']],
  [['run', 'here/here.py', '--isolation', 'perfect']],
  [['apply', 'wrong.yaml']],
  [['ps', '--state', 'sleeping']],
  [['help', 'nothing']],
  [['completion', 'cmd']],
  [['ps', '--limit', 'x']],
  [['data', 'add', 'here/here.py', '--clean', 'x']],
  [['secret', 'set', 'empty']],
  [['secret', 'set', 'a', 'value']],
  [['run', 'here/here.py', '--secret', '=X']],
  [['token', 'create', 'x', '--scope', 'root']],
  [['export', 'latest', '--format', 'xml']],
])('2 for a wrong command line: %j', async (args) => {
  server.write('here/here.py', 'print()\n');
  server.write('wrong.yaml', 'script: here/here.py\ndaat: []\n');
  const done = await server.vgpu(args);
  expect(done.code, done.stderr).toBe(2);
  expect(done.stderr).toMatch(/^error /m);
  const asJson = await server.vgpu([...args, '--json']);
  expect(asJson.code).toBe(2);
  expect(errorOf(asJson.stderr)).toMatchObject({
    code: expect.any(String),
    message: expect.any(String),
    hint: expect.any(String),
  });
});

// Each listing for programs: JSON alone on stdout, nothing on stderr, and words for people without the flag.
test.each([
  [['ps'], 'array'],
  [['queue'], 'array'],
  [['data', 'ls'], 'array'],
  [['image', 'ls'], 'array'],
  [['secret', 'ls'], 'array'],
  [['token', 'ls'], 'array'],
  [['project', 'ls'], 'array'],
  [['gpu', 'ls'], 'array'],
  [['gpu', 'pool', 'ls'], 'array'],
  [['top'], 'object'],
  [['version'], 'object'],
  [['help'], 'array'],
  [['bench', '--list'], 'array'],
] as [string[], 'array' | 'object'][])('--json of a listing: %j is an %s', async (args, shape) => {
  const done = await server.vgpu([...args, '--json']);
  expect(done.code, done.stderr).toBe(0);
  expect(done.stderr).toBe('');
  expect(Array.isArray(done.json) ? 'array' : typeof done.json).toBe(shape);
  const plain = await server.vgpu(args);
  expect(plain.code, plain.stderr).toBe(0);
  expect(plain.stdout + plain.stderr).not.toMatch(/undefined|NaN|\[object|\u001b/);
});

test('what is said of one job is JSON as well', async () => {
  const script = server.write('json/json.py', 'print("accuracy: 0.5")\n');
  const { json } = await server.vgpu(['run', script, '--name', 'as-json', '--wait', '--json']);
  for (const args of [
    ['show', json.job],
    ['metrics', json.job],
    ['files', json.job],
    ['export', json.job],
    ['wait', json.job],
    ['stop', json.job],
  ]) {
    const done = await server.vgpu([...args, '--json']);
    expect(done.code, `${args.join(' ')}: ${done.stderr}`).toBe(0);
    expect(done.json, args.join(' ')).toBeTruthy();
  }
  const lines = (await server.vgpu(['logs', json.job, '--json'])).stdout.trim().split('\n');
  expect(lines.map((line) => JSON.parse(line).text)).toEqual(['accuracy: 0.5']);
});

// What is not there is 1, and says where to look.
test.each([
  [['show', 'nothing'], 'vgpu ps'],
  [['logs', 'nothing'], 'vgpu ps'],
  [['wait', 'nothing'], 'vgpu ps'],
  [['stop', 'nothing'], 'vgpu ps'],
  [['retry', 'nothing'], 'vgpu ps'],
  [['rm', 'nothing'], 'vgpu ps'],
  [['files', 'nothing'], 'vgpu ps'],
  [['export', 'nothing'], 'vgpu ps'],
  [['data', 'show', 'nothing'], 'vgpu data ls'],
  [['data', 'rm', 'nothing'], 'vgpu data ls'],
  [['image', 'inspect', 'nothing'], 'vgpu image ls'],
  [['image', 'rm', 'nothing'], 'vgpu image ls'],
  [['secret', 'rm', 'nothing'], 'vgpu secret ls'],
  [['token', 'revoke', 'nothing'], 'vgpu token ls'],
  [['gpu', 'pool', 'rm', 'nothing'], 'vgpu gpu pool ls'],
  [['gpu', 'pool', 'set', 'some', '--accelerators', 'nothing'], 'vgpu gpu ls'],
  [['gpu', 'cordon', 'nothing'], 'vgpu gpu ls'],
] as [string[], string][])('1 for what is not there: %j points to `%s`', async (args, next) => {
  const done = await server.vgpu(args);
  expect(done.code).toBe(1);
  expect(done.stdout).toBe('');
  expect(done.stderr).toContain(next);
});

test('a usage error names the command that was meant', async () => {
  const hintOf = async (args: string[]) => errorOf((await server.vgpu([...args, '--json'])).stderr).hint;
  expect(await hintOf(['data', 'show'])).toContain('vgpu data show --help');
  expect(await hintOf(['gpu', 'pool', 'set'])).toContain('vgpu gpu pool set --help');
  expect(await hintOf(['sohw'])).toContain('vgpu help');
  const group = await server.vgpu(['data']);
  expect(group.code).toBe(2);
  expect(group.stderr).toMatch(/error vgpu data: say which of its commands/);
  expect((await server.vgpu(['sohw'])).stderr).toContain('Did you mean show?');
});

test('a wrong key in a spec comes with a suggestion', async () => {
  server.write('typo.yaml', 'script: here/here.py\nresuorces: {cpu: 1}\n');
  const done = await server.vgpu(['apply', 'typo.yaml', '--json']);
  expect(errorOf(done.stderr)).toMatchObject({
    code: 'UNKNOWN_KEY',
    hint: expect.stringContaining('resources'),
  });
});

test('3 when no server can be reached', async () => {
  const env = { ...server.env, VGPU_SERVER: 'http://127.0.0.1:9', VGPU_TOKEN: 'x' };
  const done = await runCli(['ps', '--json'], { env });
  expect(done.code).toBe(3);
  expect(errorOf(done.stderr).code).toBe('SERVER_UNREACHABLE');
  const none = await runCli(['ps'], { env: { ...server.env, VGPU_HOME: `${server.home}-nobody` } });
  expect(none.code).toBe(3);
  expect(none.stderr).toContain('vgpu up');
});

test('3 when no engine can be reached', async () => {
  const env = {
    ...server.env,
    VGPU_HOME: `${server.home}-engineless`,
    VGPU_ENGINE: 'unix:///nowhere/docker.sock',
  };
  const done = await runCli(['up', '--detach', '--json'], { env });
  expect(done.code).toBe(3);
  expect(errorOf(done.stderr).code).toBe('ENGINE_UNREACHABLE');
});

test('3 when the server cannot start, in its own words', async () => {
  const { port } = new URL(server.file.url);
  for (const flags of [['--detach', '--json'], ['--json']]) {
    const env = { ...server.env, VGPU_HOME: `${server.home}-taken` };
    const done = await runCli(['up', ...flags, '--port', port], { env });
    expect(done.code, done.stderr).toBe(3);
    expect(done.stderr).toContain(`127.0.0.1:${port} is taken by another vgpu server`);
    expect(done.stderr).not.toContain('unexpected');
    if (flags.includes('--detach')) {
      expect(errorOf(done.stderr)).toMatchObject({
        code: 'SERVER_FAILED',
        hint: expect.stringContaining('vgpu up --port 0'),
      });
    }
  }
});

test('--help lists the exit codes, for every command', async () => {
  for (const args of [['--help'], ['run', '--help'], ['wait', '--help'], ['data', 'add', '--help']]) {
    const help = await server.vgpu(args);
    expect(help.code).toBe(0);
    expect(help.stdout).toContain('Exit codes:');
  }
});
