import { statSync } from 'node:fs';
import { join } from 'node:path';
import { routes } from '@vgpu/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from './harness/eventually.ts';
import { runCli } from './harness/run-cli.ts';
import { TestServer } from './harness/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server?.close());

describe('tokens', () => {
  test('nothing but health answers without one', async () => {
    const { url } = server.file;
    expect((await fetch(`${url}/v1/health`)).status).toBe(200);
    for (const path of ['/v1/jobs', '/v1/topology', '/v1/tokens', '/v1/datasets', '/metrics']) {
      expect((await fetch(url + path)).status, path).toBe(401);
    }
  });

  test('login keeps a token that only its owner can read, and uses it', async () => {
    const made = (await server.vgpu(['token', 'create', 'reader', '--scope', 'read', '--json'])).json;
    const home = `${server.home}-laptop`;
    const env = { VGPU_HOME: home, VGPU_SERVER: '', VGPU_TOKEN: '' };
    const { url } = server.file;
    const wrong = await runCli(['login', url, '--token', 'wrong'], { env });
    expect(wrong.code).toBe(1);
    const login = await runCli(['login', url], { env, stdin: `${made.secret}\n` });
    expect(login.code, login.stderr).toBe(0);
    expect(statSync(join(home, 'login.json')).mode & 0o077).toBe(0);
    expect((await runCli(['ps', '--json'], { env })).json).toEqual([]);

    const script = server.write('denied/denied.py', 'print(1)\n');
    const denied = await runCli(['run', script, '--json'], { env });
    expect(denied.code, 'a reader may not submit').toBe(1);
    expect(JSON.parse(denied.stderr.trim().split('\n').at(-1)!).error.code).toBe('FORBIDDEN');

    expect((await server.vgpu(['token', 'revoke', made.id])).code).toBe(0);
    expect((await runCli(['ps'], { env })).code, 'a revoked token stops working at once').toBe(1);
    expect((await runCli(['logout'], { env })).code).toBe(0);
    expect((await runCli(['ps'], { env })).code).toBe(3);
  });

  test('the state is for its owner alone, and the token is not stored', async () => {
    expect(statSync(join(server.home, 'token')).mode & 0o077).toBe(0);
    const { stdout } = await server.vgpu(['token', 'ls', '--json']);
    expect(stdout).not.toContain(server.token);
  });
});

test('a port of a worker is served under /proxy, to those with a token, and nowhere else', async () => {
  const script = server.write(
    'web/web.py',
    `
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = ('hello from ' + self.path).encode()
        self.send_response(200)
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
print('serving', flush=True)
http.server.HTTPServer(('127.0.0.1', 6006), Handler).serve_forever()
`,
  );
  const { json } = await server.vgpu(['run', script, '--port', '6006', '--json']);
  const task = await eventually('it serves', async () => {
    const one = (await server.job(json.job)).tasks[0];
    return one && one.lines > 0 && one;
  });
  const address = `${server.file.url}/proxy/${task.id}/6006/some/page`;
  expect((await fetch(address)).status).toBe(401);
  const headers = { authorization: `Bearer ${server.token}` };
  const page = await eventually('the page comes', async () => {
    const response = await fetch(address, { headers });
    return response.status === 200 && (await response.text());
  });
  expect(page).toContain('hello from');
  expect(
    (await fetch(`${server.file.url}/proxy/${task.id}/6007/`, { headers })).status,
  ).toBeGreaterThanOrEqual(400);
  await expect(fetch('http://127.0.0.1:6006/')).rejects.toThrow();
  await server.client.call(routes.jobs.stop, { params: { job: json.job } });
});
