import { routes } from '@vgpu/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestClient } from './testing/client.ts';
import { testEngine } from './testing/engine.ts';
import { pause, SpawnedServer } from './testing/spawned.ts';

const engine = await testEngine();
if ('skip' in engine) console.warn(`Tests with real workers are left out: ${engine.skip}`);

const small = { resources: { memory: '128MiB', cpu: 0.5 } };

describe.skipIf('skip' in engine)('with real workers', () => {
  let server: SpawnedServer;
  let client: TestClient;
  beforeAll(async () => {
    server = new SpawnedServer((engine as { socket: string }).socket, { VGPU_CPU: '4' });
    client = await server.start();
  });
  afterAll(() => server.close());

  test('one script over two datasets: scores, logs, series, files, and nothing left', async () => {
    const csv = 'a;b;label\n1,5;2;0\n2,5;1;1\n3,5;7;0\n4,5;3;1\n';
    await client.importCsv('first', csv, 'label');
    await client.importCsv('second', csv.replace('1,5', '9,5'), 'label');
    const script = [
      'import os, sys, vgpu',
      'rows = open(sys.argv[1]).read().splitlines()',
      'print("rows", len(rows) - 1, "target", os.environ["VGPU_TARGET"])',
      'for step in range(3): vgpu.log(step, loss=1.0 / (step + 1))',
      'vgpu.report([0, 1, 0, 1], [0, 1, 1, 1])',
      'open(os.path.join(os.environ["VGPU_OUTPUT"], "kept.txt"), "w").write("kept")',
    ].join('\n');
    const job = await client.submit(script, {
      ...small,
      data: [{ dataset: 'first' }, { dataset: 'second@1' }],
    });
    expect(job.state).toBe('QUEUED');
    const end = await client.ended(job.id);
    expect(end.tasks.map((t) => [t.name, t.worker, t.state, t.exitCode, t.files])).toEqual([
      ['first', 'vgpu-worker-01', 'COMPLETED', 0, 1],
      ['second', 'vgpu-worker-02', 'COMPLETED', 0, 1],
    ]);
    const [task] = end.tasks;
    expect(task!.metrics).toMatchObject({ accuracy: 0.75, f1: 0.8, loss: 1 / 3 });
    expect(task!.confusion).toEqual({
      labels: ['0', '1'],
      matrix: [
        [1, 1],
        [0, 2],
      ],
    });
    expect(await client.lines(task!.id)).toEqual(['rows 4 target label']);
    for (const phase of ['queued', 'start', 'run', 'teardown'] as const) {
      expect(task!.timings[phase]).toBeGreaterThanOrEqual(0);
    }
    const series = await client.call(routes.tasks.series, {
      params: { task: task!.id },
      query: { name: 'loss' },
    });
    expect(series.items[0]).toMatchObject({ step: [0, 1, 2], value: [1, 0.5, 1 / 3] });
    const file = await client.call(routes.tasks.file, { params: { task: task!.id, '*': 'kept.txt' } });
    expect(await file.text()).toBe('kept');
    const table = await client.call(routes.jobs.metrics, { params: { job: job.id } });
    expect(table).toMatchObject({ primary: 'f1', goal: 'maximize' });
    expect(table.rows.map((row) => row.best)).toEqual([true, false]);
    expect(await server.containers()).toEqual([]);
  });

  test('failures say why: exception, exit code, memory, time, stop; neighbours are untouched', async () => {
    const submit = (script: string, spec = {}) => client.submit(script, { ...small, ...spec });
    const jobs = await Promise.all([
      submit('raise ValueError("bad \\x1b[31mdata")'),
      submit('import sys; sys.exit(3)'),
      submit('x = []\nwhile True: x.append(bytearray(8 * 2**20))'),
      submit('import time; time.sleep(60)', { limits: { time: '1s' } }),
      submit('print("fine")'),
    ]);
    const ends = await Promise.all(jobs.map((job) => client.ended(job.id)));
    const found = ends.map((end) => [end.tasks[0]!.state, end.tasks[0]!.reason?.code ?? null]);
    expect(found).toEqual([
      ['FAILED', 'SCRIPT_EXCEPTION'],
      ['FAILED', 'SCRIPT_FAILED'],
      ['FAILED', 'OUT_OF_MEMORY'],
      ['FAILED', 'TIMED_OUT'],
      ['COMPLETED', null],
    ]);
    expect(ends[0]!.tasks[0]!.reason!.message).toMatch(/^ValueError: bad /);
    expect(ends[1]!.tasks[0]!.exitCode).toBe(3);
  });

  test('a stop cancels what waits and what runs, and a retry runs it again', async () => {
    const job = await client.submit('import time\nprint("up", flush=True)\ntime.sleep(60)', {
      ...small,
      resources: { memory: '128MiB', cpu: 4 },
    });
    const second = await client.submit('print("second")', { resources: { memory: '128MiB', cpu: 4 } });
    await client.until(job.id, (now) => now.tasks[0]!.state === 'RUNNING');
    const waiting = (await client.job(second.id)).tasks[0]!;
    expect(waiting.waiting).toMatchObject({ position: 1, code: 'cpu' });
    await client.call(routes.jobs.stop, { params: { job: second.id } });
    expect((await client.job(second.id)).tasks[0]).toMatchObject({ state: 'CANCELLED', attempts: 0 });
    await client.call(routes.tasks.stop, { params: { task: job.tasks[0]!.id } });
    const stopped = await client.ended(job.id);
    expect(stopped.tasks[0]).toMatchObject({ state: 'CANCELLED', reason: { code: 'STOPPED' } });
    await client.call(routes.jobs.retry, { params: { job: second.id } });
    expect((await client.ended(second.id)).tasks[0]).toMatchObject({ state: 'COMPLETED', attempts: 1 });
  });

  test('a failed attempt is tried again as often as asked, in one log', async () => {
    const job = await client.submit('raise SystemExit(5)', { ...small, limits: { retries: 1 } });
    const end = await client.ended(job.id);
    expect(end.tasks[0]).toMatchObject({ state: 'FAILED', attempts: 2, reason: { code: 'SCRIPT_FAILED' } });
    expect(await client.lines(end.tasks[0]!.id)).toContain('[vgpu] attempt 2 starts here');
  });

  test('a declared port is served under /proxy, authenticated, and no other is', async () => {
    const script = [
      'import http.server',
      'class H(http.server.BaseHTTPRequestHandler):',
      '  def do_GET(self):',
      '    body = ("%s|%s|%s" % (self.path, self.headers.get("authorization"), self.headers.get("cookie"))).encode()',
      '    self.send_response(200); self.send_header("content-length", str(len(body))); self.end_headers()',
      '    self.wfile.write(body)',
      'print("up", flush=True)',
      'http.server.HTTPServer(("127.0.0.1", 6006), H).serve_forever()',
    ].join('\n');
    const job = await client.submit(script, { ...small, ports: [6006] });
    await client.until(job.id, (now) => now.tasks[0]!.lastLine === 'up');
    const task = job.tasks[0]!.id;
    const at = (path: string) => `${client.url}/proxy/${task}/${path}`;
    expect((await fetch(at('6006/'))).status).toBe(401);
    const headers = { authorization: `Bearer ${server.token}`, cookie: 'vgpu_session=x; theirs=y' };
    await pause(100);
    const answer = await fetch(at('6006/a/b?c=d'), { headers });
    expect(await answer.text()).toBe('/a/b?c=d|None|theirs=y');
    expect(answer.headers.get('content-security-policy')).toContain(`default-src ${at('6006/')} `);
    expect((await fetch(at('22/'), { headers })).status).toBe(400);
    await client.call(routes.jobs.stop, { params: { job: job.id } });
    await client.ended(job.id);
    expect((await fetch(at('6006/'), { headers })).status).toBe(409);
  });

  test('lines stream over the WebSocket; after a break they go on from the offset, none lost or doubled', async () => {
    const script = 'import time\nfor i in range(300):\n  print("n", i, flush=True)\n  time.sleep(0.005)';
    const job = await client.submit(script, small);
    const topic = `logs:${job.tasks[0]!.id}`;
    const seen: string[] = [];
    /** Follows from a line number until enough came or the log is closed; returns the next number. */
    const follow = (from: number, enough: number) =>
      new Promise<number>((resolve) => {
        const socket = new WebSocket(`${client.url.replace('http', 'ws')}/v1/stream`, {
          headers: { authorization: `Bearer ${server.token}` },
        } as never);
        socket.onopen = () => socket.send(JSON.stringify({ op: 'subscribe', topic, from }));
        socket.onmessage = (message) => {
          const frame = JSON.parse(String(message.data)) as {
            lines: { text: string }[];
            next: number;
            open: boolean;
          };
          seen.push(...frame.lines.map((line) => line.text));
          if (seen.length < enough && frame.open) return;
          socket.onmessage = null;
          socket.close();
          resolve(frame.next);
        };
      });
    const next = await follow(0, 100);
    await pause(200);
    await follow(next, Number.POSITIVE_INFINITY);
    expect(seen).toEqual(Array.from({ length: 300 }, (_, i) => `n ${i}`));
  });

  test('WebSockets reach a declared port', async () => {
    const script = [
      'import base64, hashlib, socket',
      's = socket.create_server(("127.0.0.1", 8080))',
      'print("up", flush=True)',
      'while True:',
      '  c, _ = s.accept()',
      '  head = c.recv(65536).decode()',
      '  if "sec-websocket-key" not in head.lower(): c.close(); continue',
      '  key = [l.split(": ")[1] for l in head.split("\\r\\n") if l.lower().startswith("sec-websocket-key")][0]',
      '  digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()',
      '  accept = base64.b64encode(digest).decode()',
      '  c.sendall(("HTTP/1.1 101 S\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: %s\\r\\n\\r\\n" % accept).encode())',
      '  text = head.split(" ")[1].encode()',
      '  c.sendall(bytes([0x81, len(text)]) + text)',
    ].join('\n');
    const job = await client.submit(script, { ...small, ports: [8080] });
    await client.until(job.id, (now) => now.tasks[0]!.lastLine === 'up');
    const address = `${client.url.replace('http', 'ws')}/proxy/${job.tasks[0]!.id}/8080/echo?x=1`;
    const open = (headers: Record<string, string>) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(address, { headers } as never);
        socket.onmessage = (message) => resolve(String(message.data));
        socket.onerror = () => resolve('refused');
      });
    expect(await open({})).toBe('refused');
    expect(await open({ authorization: `Bearer ${server.token}` })).toBe('/echo?x=1');
    await client.call(routes.jobs.stop, { params: { job: job.id } });
    await client.ended(job.id);
  });

  test('killed at any point, the next server finishes every task once and leaves nothing behind', async () => {
    const own = new SpawnedServer((engine as { socket: string }).socket, { VGPU_CPU: '2' });
    try {
      let at = await own.start();
      const script = 'import time\nfor i in range(8):\n  print("line", i, flush=True)\n  time.sleep(0.1)';
      const jobs: string[] = [];
      for (let i = 0; i < 4; i++) jobs.push((await at.submit(script, small)).id);
      for (const delay of [80, 400, 900, 150]) {
        await pause(delay);
        await own.kill();
        at = await own.start();
      }
      const ends = await Promise.all(jobs.map((job) => at.ended(job, 90_000)));
      for (const end of ends) {
        expect(end.tasks[0]).toMatchObject({ state: 'COMPLETED', reason: null });
        const lines = await at.lines(end.tasks[0]!.id);
        const last = lines.lastIndexOf('line 0');
        expect(lines.slice(last)).toEqual(Array.from({ length: 8 }, (_, i) => `line ${i}`));
      }
      expect(own.completions()).toEqual(Object.fromEntries(ends.map((end) => [end.tasks[0]!.id, 1])));
      expect(await own.containers()).toEqual([]);
    } finally {
      await own.close();
    }
  }, 120_000);

  test('a worker that is killed from outside is a failure of that task alone', async () => {
    const job = await client.submit('import time\nprint("up", flush=True)\ntime.sleep(60)', small);
    const other = await client.submit('import time\ntime.sleep(2)\nprint("done")', small);
    const running = await client.until(job.id, (now) => now.tasks[0]!.lastLine === 'up');
    await server.removeContainer(running.tasks[0]!.container!);
    const end = await client.ended(job.id);
    expect(end.tasks[0]!.state).toBe('FAILED');
    expect(['WORKER_LOST', 'KILLED']).toContain(end.tasks[0]!.reason!.code);
    expect((await client.ended(other.id)).tasks[0]!.state).toBe('COMPLETED');
  });

  test('a graceful stop leaves workers running, and the next start takes them up', async () => {
    const own = new SpawnedServer((engine as { socket: string }).socket);
    try {
      let at = await own.start();
      const job = await at.submit(
        'import time\nprint("before", flush=True)\ntime.sleep(3)\nprint("after")',
        small,
      );
      await at.until(job.id, (now) => now.tasks[0]!.lastLine === 'before');
      await own.kill('SIGTERM');
      expect(await own.containers()).toHaveLength(1);
      at = await own.start();
      const end = await at.ended(job.id);
      expect(end.tasks[0]).toMatchObject({ state: 'COMPLETED', attempts: 1 });
      expect(await at.lines(end.tasks[0]!.id)).toEqual(['before', 'after']);
    } finally {
      await own.close();
    }
  });

  test('the topology is fresh from the engine', async () => {
    const job = await client.submit('import time\nprint("up", flush=True)\ntime.sleep(30)', small);
    await client.until(job.id, (now) => now.tasks[0]!.lastLine === 'up');
    const { services, host } = await client.call(routes.machine.topology, {});
    expect(host.engine).toMatch(/docker|podman/i);
    const worker = services.find((one) => one.task === job.tasks[0]!.id);
    expect(worker).toMatchObject({ kind: 'worker', state: 'running', tag: 'latest', lastLine: 'up' });
    expect(worker!.memory).toBeGreaterThan(0);
    await client.call(routes.jobs.stop, { params: { job: job.id } });
    await client.ended(job.id);
    const after = await client.call(routes.machine.topology, {});
    expect(after.services.some((one) => one.task === job.tasks[0]!.id)).toBe(false);
  });
});
