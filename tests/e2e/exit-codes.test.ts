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
    expect(done.stderr).toContain(`127.0.0.1:${port} is taken by another program`);
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
