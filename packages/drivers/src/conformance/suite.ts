import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RingDrain, WorkerHarness } from '../testing/worker-harness.ts';
import {
  canConnectPorts,
  canKeepWarm,
  canUpdateLimits,
  type Driver,
  type DriverEvent,
  type WorkerExit,
} from '../types.ts';

export interface ConformanceOptions {
  /** Opens a driver over `home`; called again to stand for a server that restarts. */
  open: (home: string) => Promise<Driver>;
  /** An image with Python and scikit-learn that the driver can start. */
  image: string;
}

const until = async (holds: () => boolean | Promise<boolean>) => {
  for (let n = 0; n < 6000; n++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it never came true');
};

/** What every driver must do. A new driver passes it before it is used. */
export function driverConformance(name: string, options: ConformanceOptions): void {
  describe(`driver ${name}`, () => {
    const harness = new WorkerHarness(options.image);
    let driver: Driver;

    beforeAll(async () => {
      driver = await options.open(harness.home);
    });

    afterAll(async () => {
      await driver.purge();
      await driver.close();
      harness.cleanup();
    });

    const gone = async () => {
      expect(await driver.list()).toEqual([]);
      const left = await driver.reap(new Set());
      expect(left).toEqual({ containers: [], networks: [], folders: [] });
    };

    test('tells what it is and what it can do', async () => {
      const f = await driver.fingerprint();
      expect(f.healthy).toBe(true);
      expect(f.version).not.toBe('');
      expect(f.capabilities.warmPool).toBe(canKeepWarm(driver));
      expect(f.capabilities.ports).toBe(canConnectPorts(driver));
    });

    describe('a task', () => {
      test('ends as Python does: threads, exit handlers, files that were never closed', async () => {
        const script = `
import atexit, threading, time
atexit.register(lambda: print('handler'))
threading.Thread(target=lambda: (time.sleep(0.2), print('thread'))).start()
kept = open('left-open.txt', 'w')
kept.write('kept')
print('last line', end='')
`;
        const done = await harness.run(driver, script, {});
        expect(done.exit).toMatchObject({ reason: 'completed', exitCode: 0 });
        expect(done.stdout).toBe('last line' + 'thread\nhandler\n');
        expect(readFileSync(join(done.outDir, 'left-open.txt'), 'utf8')).toBe('kept');
        await gone();
      });

      test('completes: output, files, timings, and nothing stays', async () => {
        const script = `
import os, sys, subprocess
print('arg', open(sys.argv[1]).read().split()[0], os.environ['VGPU_DATASET'] == sys.argv[1], os.environ['VGPU_TARGET'])
print('helper', __import__('helper').VALUE, open('helper.py').read()[:5], sys.argv[2:])
subprocess.run('echo from a subprocess; echo to stderr >&2', shell=True)
os.makedirs('models'); open('models/m.bin', 'wb').write(b'12345')
open(os.environ['VGPU_OUTPUT'] + '/notes.txt', 'w').write('kept')
`;
        const command = { kind: 'python' as const, script: 'main.py', args: ['--lr', '0.1'] };
        const done = await harness.run(
          driver,
          script,
          { command, target: 'y' },
          { 'helper.py': 'VALUE = 42\n' },
        );
        expect(done.exit).toMatchObject({ reason: 'completed', exitCode: 0, oomKilled: false });
        expect(done.exit.timings.start).toBeGreaterThanOrEqual(0);
        expect(done.exit.timings.run).toBeGreaterThan(0);
        expect(done.stdout).toContain('arg x,y True y');
        expect(done.stdout).toContain("helper 42 VALUE ['--lr', '0.1']");
        expect(done.stdout).toContain('from a subprocess');
        expect(done.stderr).toContain('to stderr');
        expect(done.outputs.files.map((f) => [f.path, f.bytes])).toEqual([
          ['models/m.bin', 5],
          ['notes.txt', 4],
        ]);
        expect(done.outputs.skippedTotal).toBe(0);
        expect(readFileSync(join(done.outDir, 'notes.txt'), 'utf8')).toBe('kept');
        await gone();
      });

      test('that raises is failed, with its exception', async () => {
        const { exit, stderr } = await harness.run(
          driver,
          'def f():\n    raise KeyError("no such column: über")\nf()\n',
        );
        expect(exit).toMatchObject({ reason: 'failed', exitCode: 1, oomKilled: false });
        expect(exit.exception?.type).toBe('KeyError');
        expect(exit.exception?.message).toContain('no such column: über');
        expect(exit.exception?.traceback).toMatch(/^Traceback[\s\S]*main\.py", line 2, in f/);
        expect(exit.exception?.traceback).not.toContain('vgpu_child');
        expect(stderr).toContain('KeyError');
      });

      test('keeps its own exit code, and tells signals apart', async () => {
        expect((await harness.run(driver, 'import sys; sys.exit(7)')).exit).toMatchObject({
          reason: 'failed',
          exitCode: 7,
        });
        expect((await harness.run(driver, 'import sys; sys.exit("bad input")')).exit).toMatchObject({
          reason: 'failed',
          exitCode: 1,
        });
        const crash = await harness.run(driver, 'import os, signal; os.kill(os.getpid(), signal.SIGSEGV)');
        expect(crash.exit).toMatchObject({
          reason: 'signal',
          exitCode: 139,
          signal: 'SIGSEGV',
          oomKilled: false,
        });
      });

      test('may be any program', async () => {
        const done = await harness.run(driver, '', {
          command: { kind: 'exec', argv: ['sh', '-c', 'echo "$0 $FOO $(pwd)"; exit 3', 'hello'] },
          env: { FOO: 'bar' },
        });
        expect(done.stdout).toBe('hello bar /vgpu/out\n');
        expect(done.exit).toMatchObject({ reason: 'failed', exitCode: 3 });
        const none = await harness.run(driver, '', { command: { kind: 'exec', argv: ['no-such-program'] } });
        expect(none.exit.exitCode).toBe(127);
      });

      test('sees its environment and secrets, and the engine never learns the secrets', async () => {
        const script = `
import os, stat, sys, time
file = '/run/secrets/token'
value = open(file).read()
s = os.stat(file)
kind = [l.split()[2] for l in open('/proc/mounts') if l.split()[1] == '/run/secrets']
print(os.environ['A'], value == os.environ['TOKEN'], len(value), os.environ.get('VGPU_CTL'))
print(oct(stat.S_IMODE(s.st_mode)), s.st_uid == os.getuid(), kind, sorted(os.listdir('/run/secrets')))
print('masked', value[:9], end='', flush=True)
time.sleep(0.2)
print(value[9:], file=sys.stdout, flush=True)
print('on stderr', value, file=sys.stderr, flush=True)
time.sleep(20)`;
        const value = Buffer.from('s3cret-value-of-the-engine');
        const launch = harness.launch(script, {
          env: { A: '1', PYTHONHASHSEED: '7' },
          secrets: [
            { file: 'token', value, env: 'TOKEN' },
            { file: 'raw', value: Buffer.from([0, 255, 0]) },
          ],
        });
        const handle = await driver.start(launch);
        const drain = new RingDrain(handle.ringPath);
        await until(() => drain.stderr.includes('\n'));
        expect(drain.stdout.split('\n')).toEqual([
          '1 True 26 None',
          "0o400 True ['tmpfs'] ['raw', 'token']",
          'masked ***',
          '',
        ]);
        expect(drain.stderr).toBe('on stderr ***\n');
        const known = [await driver.inspect(handle), await driver.list(), handle];
        expect(JSON.stringify(known)).not.toContain('s3cret-value');
        drain.close();
        await driver.destroy(handle);
      });

      test('an exception does not tell a secret', async () => {
        const secrets = [{ file: 'token', value: Buffer.from('s3cret-value'), env: 'TOKEN' }];
        const done = await harness.run(driver, 'import os\nraise KeyError(os.environ["TOKEN"])', { secrets });
        expect(done.exit.exception).toMatchObject({ type: 'KeyError', message: "'***'" });
        expect(JSON.stringify(done.exit) + done.stderr).not.toContain('s3cret-value');
      });

      test('that uses too much memory is "oom", not a crash', async () => {
        const { exit } = await harness.run(driver, 'x = []\nwhile True: x.append(bytearray(8 << 20))');
        expect(exit).toMatchObject({ reason: 'oom', oomKilled: true });
        expect(exit.exitCode).not.toBe(0);
      });

      test('is ended at its time limit', async () => {
        const { exit } = await harness.run(driver, 'import time; time.sleep(60)', { timeLimitMs: 300 });
        expect(exit.reason).toBe('timeout');
      });

      test('keeps pictures that plt.show() would have shown', async () => {
        const done = await harness.run(
          driver,
          'import matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()\nplt.plot([3]); plt.show()',
        );
        expect(done.exit.reason).toBe('completed');
        expect(done.outputs.files.map((f) => f.path)).toEqual(['figure-01.png', 'figure-02.png']);
      });
    });

    describe('isolation', () => {
      test('no privilege, no network, nothing to write but its own', async () => {
        const script = `
import json, os, socket
r = {}
status = dict(l.split(':', 1) for l in open('/proc/self/status').read().splitlines())
r['uid'] = os.getuid(); r['caps'] = status['CapEff'].strip(); r['bounding'] = status['CapBnd'].strip()
r['nnp'] = status['NoNewPrivs'].strip(); r['seccomp'] = status['Seccomp'].strip()
def blocked(f):
    try: f(); return 'allowed'
    except OSError as e: return e.strerror
r['root'] = blocked(lambda: open('/evil', 'w'))
r['data'] = blocked(lambda: open(os.environ['VGPU_DATASET'], 'a'))
r['bundle'] = blocked(lambda: open('/vgpu/in/bundle/x', 'w'))
r['runtime'] = blocked(lambda: open('/vgpu/runtime/supervisor.py', 'a'))
r['connect'] = blocked(lambda: socket.create_connection(('1.1.1.1', 53), 2))
r['interfaces'] = sorted(n for _, n in socket.if_nameindex())
r['init'] = blocked(lambda: os.readlink('/proc/1/fd/0'))
r['kill'] = blocked(lambda: os.kill(1, 9))
r['sockets'] = [p for p in ('/var/run/docker.sock', '/run/docker.sock', '/run/podman/podman.sock') if os.path.exists(p)]
r['ptrace'] = __import__('ctypes').CDLL(None, use_errno=True).ptrace(0, 0, 0, 0)
r['unshare'] = __import__('ctypes').CDLL(None, use_errno=True).unshare(0x10000000)
print(json.dumps(r))
`;
        const done = await harness.run(driver, script);
        const seen = JSON.parse(done.stdout) as Record<string, unknown>;
        const { engine, rootless } = await driver.fingerprint();
        // A rootless Docker's 0 is the user who runs it, here without a capability like anybody else.
        if (engine !== 'docker' || !rootless) expect(seen.uid).not.toBe(0);
        expect(seen).toMatchObject({
          caps: '0000000000000000',
          bounding: '0000000000000000',
          nnp: '1',
          seccomp: '2',
        });
        expect(seen).toMatchObject({ root: 'Read-only file system', bundle: 'Read-only file system' });
        // These belong to another user besides.
        for (const file of ['data', 'runtime'])
          expect(seen[file]).toMatch(/Read-only file system|Permission denied/);
        expect(seen.connect).toBe('Network is unreachable');
        expect(seen.interfaces).toEqual(['lo']);
        expect(seen).toMatchObject({ init: 'Permission denied', sockets: [], ptrace: -1, unshare: -1 });
        // The kernel drops a signal that would end a namespace's first process: allowed, and without effect.
        expect(done.exit.reason).toBe('completed');
      });
    });

    test('egress reaches neither the host’s services nor another worker nor link-local addresses', async () => {
      if (!(await driver.fingerprint()).capabilities.egress)
        return console.warn(`skipped: ${name} offers no egress here`);
      const listener = createServer((socket) => socket.end('host service')).listen(0, '0.0.0.0');
      await new Promise((resolve) => listener.once('listening', resolve));
      const port = (listener.address() as { port: number }).port;
      const hosts = Object.values(networkInterfaces()).flatMap((list) =>
        (list ?? []).filter((a) => a.family === 'IPv4').map((a) => a.address),
      );
      const peer = await driver.start(
        harness.launch(
          'import http.server, socket\nprint(socket.gethostbyname(socket.gethostname()), flush=True)\nhttp.server.HTTPServer(("0.0.0.0", 8080), http.server.SimpleHTTPRequestHandler).serve_forever()',
          { network: 'egress' },
        ),
      );
      const drain = new RingDrain(peer.ringPath);
      await until(() => drain.stdout.includes('\n'));
      const address = drain.stdout.trim();
      const targets = [
        ...hosts.map((h) => [h, port]),
        [address.replace(/\d+$/, '1'), port],
        [address, 8080],
        ['169.254.169.254', 80],
      ];
      const done = await harness.run(
        driver,
        `
import socket
print('interfaces', len(socket.if_nameindex()))
for host, port in ${JSON.stringify(targets)}:
    try: socket.create_connection((host, port), 1); print('REACHED', host, port)
    except OSError: print('blocked', host, port)
`,
        { network: 'egress' },
      );
      listener.close();
      drain.close();
      await driver.destroy(peer);
      expect(done.stdout).toContain('interfaces 2');
      expect(done.stdout).not.toContain('REACHED');
      expect(done.stdout.split('\n').filter((l) => l.startsWith('blocked'))).toHaveLength(targets.length);
    });

    describe('stopping', () => {
      test('asks first', async () => {
        const handle = await driver.start(
          harness.launch(
            'import signal, sys, time\nsignal.signal(15, lambda *a: (print("bye", flush=True), sys.exit(0)))\nprint("up", flush=True)\ntime.sleep(60)',
          ),
        );
        const drain = new RingDrain(handle.ringPath);
        await until(() => drain.stdout.includes('up'));
        await driver.stop(handle);
        expect(await driver.wait(handle)).toMatchObject({ reason: 'stopped', exitCode: 0 });
        expect(drain.close().stdout).toContain('bye');
        await driver.destroy(handle);
      });

      test('then insists', async () => {
        const handle = await driver.start(
          harness.launch(
            'import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint("up", flush=True)\nwhile True: time.sleep(1)',
          ),
        );
        const drain = new RingDrain(handle.ringPath);
        await until(() => drain.stdout.includes('up'));
        await driver.stop(handle, { graceMs: 200 });
        expect((await driver.wait(handle)).reason).toBe('stopped');
        drain.close();
        await driver.destroy(handle);
      });

      test('destroy ends a running worker, as often as it is asked', async () => {
        const handle = await driver.start(harness.launch('import time; time.sleep(60)'));
        const exit = driver.wait(handle);
        const [a, b] = await Promise.all([driver.destroy(handle), driver.destroy(handle)]);
        expect(a.teardownMs).toBe(b.teardownMs);
        expect((await exit).exitCode).not.toBe(0);
        await driver.destroy(handle);
        expect(await driver.inspect(handle)).toBeUndefined();
        await gone();
      });
    });

    describe('a server that dies', () => {
      test('finds its workers again, and hears each end once', async () => {
        const running = await driver.start(harness.launch('import time; time.sleep(1.5); print("done")'));
        const ended = await driver.start(
          harness.launch('import time; time.sleep(0.2); raise ValueError("while away")'),
        );
        await driver.close();
        await new Promise((resolve) => setTimeout(resolve, 600));
        driver = await options.open(harness.home);
        const events: DriverEvent[] = [];
        driver.onEvent((event) => events.push(event));
        const handles = await driver.recover();
        expect(handles.map((h) => h.attemptId).sort()).toEqual([running.attemptId, ended.attemptId].sort());
        expect((await driver.wait(ended)).exception).toMatchObject({
          type: 'ValueError',
          message: 'while away',
        });
        expect((await driver.wait(running)).reason).toBe('completed');
        expect(await driver.recover()).toEqual([]);
        const exits = events
          .filter((e) => e.type === 'exit')
          .map((e) => (e as { handle: { attemptId: string } }).handle.attemptId);
        expect(exits.sort()).toEqual([running.attemptId, ended.attemptId].sort());
        const result = await driver.reap(new Set([running.attemptId]));
        expect(result.containers).toHaveLength(1);
        expect((await driver.list()).map((s) => s.handle.attemptId)).toEqual([running.attemptId]);
        await driver.destroy(running);
        await gone();
      });
    });

    test('a worker that is killed from outside is "lost"', async () => {
      const handle = await driver.start(harness.launch('import time; time.sleep(60)'));
      const status = await driver.inspect(handle);
      expect(status).toMatchObject({ phase: 'running', handle: { taskId: handle.taskId } });
      process.kill(status!.pid!, 'SIGKILL');
      expect((await driver.wait(handle)).reason).toBe('lost');
      await driver.destroy(handle);
    });

    test('a launch that cannot start says why and leaves nothing', async () => {
      await expect(
        driver.start(harness.launch('', { image: 'vgpu/no-such-image:latest' })),
      ).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
      await expect(
        driver.start(
          harness.launch('', { command: { kind: 'python', script: '../../etc/passwd', args: [] } }),
        ),
      ).rejects.toMatchObject({ code: 'BAD_LAUNCH' });
      await expect(driver.start(harness.launch('', { ports: [70_000] }))).rejects.toMatchObject({
        code: 'BAD_LAUNCH',
      });
      await gone();
    });

    test('one attempt has one worker', async () => {
      const launch = harness.launch('import time; time.sleep(20)');
      const results = await Promise.allSettled([driver.start(launch), driver.start(launch)]);
      expect(results.map((r) => r.status).sort()).toEqual(['fulfilled', 'rejected']);
      const handle = results.find((r) => r.status === 'fulfilled')!.value;
      await driver.destroy(handle);
    });

    test('statistics, and limits changed while it runs', async () => {
      const handle = await driver.start(
        harness.launch(
          'print("up", flush=True)\nimport time\ntime.sleep(0.6)\nx = bytearray(300 << 20)\nx[::4096] = b"1" * len(x[::4096])\nprint("held", flush=True)',
        ),
      );
      const stats = await driver.stats(handle);
      expect(stats!.pids).toBeGreaterThanOrEqual(2);
      expect(stats!.memoryBytes).toBeGreaterThan(1024 * 1024);
      expect(stats!.memoryLimitBytes).toBe(256 * 1024 * 1024);
      if (!canUpdateLimits(driver)) throw new Error('this suite expects updateLimits');
      await driver.updateLimits(handle, { memoryBytes: 512 * 1024 * 1024 });
      expect((await driver.wait(handle)).reason).toBe('completed');
      await driver.destroy(handle);
    });

    test('ports: declared ones are reached, others refused', async () => {
      if (!canConnectPorts(driver)) return;
      const script = `
import http.server, threading
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b'hello from inside')
s = http.server.ThreadingHTTPServer(('127.0.0.1', 6006), H)
print('listening', flush=True)
s.serve_forever()
`;
      const handle = await driver.start(harness.launch(script, { ports: [6006] }));
      const drain = new RingDrain(handle.ringPath);
      await until(() => drain.stdout.includes('listening'));
      const connect = driver.connectPort.bind(driver);
      const get = async () => {
        const stream = await connect(handle, 6006);
        stream.write('GET / HTTP/1.0\r\n\r\n');
        let text = '';
        for await (const chunk of stream) text += chunk;
        return text;
      };
      const pages = await Promise.all([get(), get(), get()]);
      for (const page of pages) expect(page).toContain('hello from inside');
      await expect(driver.connectPort(handle, 22)).rejects.toMatchObject({ code: 'PORT_REFUSED' });
      drain.close();
      await driver.destroy(handle);
    });

    describe('warm workers', () => {
      const pool = { image: options.image, size: 2, memoryBudgetBytes: 1024 ** 3 };
      const warm = () => {
        if (!canKeepWarm(driver)) throw new Error('this suite expects a warm pool');
        return driver;
      };

      test('take one task each, with that task’s own limits', async () => {
        await warm().configurePool(pool);
        await until(() => warm().poolStatus().ready === 2);
        expect(await driver.list()).toEqual([]);
        const script = `
import os, sys
print(sorted(m for m in ('sklearn', 'pandas', 'numpy') if m in sys.modules), os.environ['N'], open(sys.argv[1]).read().split()[0])
x = []
while True: x.append(bytearray(8 << 20))`;
        const launches = ['1', '2', '3'].map((n) =>
          harness.launch(script, { env: { N: n }, memoryBytes: 400 * 1024 * 1024 }),
        );
        const finished = await Promise.all(
          launches.map(async (l) => harness.finish(driver, await driver.start(l))),
        );
        expect(finished.map((f) => f.stdout.trim().split(' ').slice(-2).join(' ')).sort()).toEqual([
          '1 x,y',
          '2 x,y',
          '3 x,y',
        ]);
        expect(finished.filter((f) => f.handle.warm)).toHaveLength(2);
        expect(finished.find((f) => f.handle.warm)!.stdout).toContain("['numpy', 'pandas', 'sklearn']");
        expect(new Set(finished.map((f) => f.handle.id)).size).toBe(3);
        // Each was killed at its own 400 MiB, not at what it was started with.
        expect(finished.map((f) => f.exit.reason)).toEqual(['oom', 'oom', 'oom']);
        await until(() => warm().poolStatus().ready === 2);
      });

      test('are left alone when a task needs another container', async () => {
        const done = await harness.run(driver, 'print(1)', { command: { kind: 'exec', argv: ['true'] } });
        expect(done.handle.warm).toBe(false);
      });

      test('survive a server that restarts; an adopted one is found as its task', async () => {
        await until(() => warm().poolStatus().ready === 2);
        const handle = await driver.start(harness.launch('import time; time.sleep(1)'));
        expect(handle.warm).toBe(true);
        await until(() => warm().poolStatus().ready === 2);
        await driver.close();
        driver = await options.open(harness.home);
        const found = await driver.recover();
        expect(found.map((h) => h.taskId)).toEqual([handle.taskId]);
        await warm().configurePool(pool);
        expect(warm().poolStatus().ready).toBe(2);
        expect((await driver.wait(handle)).reason).toBe('completed');
        expect(await driver.reap(new Set([handle.attemptId]))).toEqual({
          containers: [],
          networks: [],
          folders: [],
        });
        await driver.destroy(handle);
      });

      test('that die are replaced; an empty pool leaves nothing', async () => {
        await until(() => warm().poolStatus().ready === 2);
        const handle = await driver.start(
          harness.launch('import os; os.kill(os.getppid(), 9); import time; time.sleep(0.2)'),
        );
        const exit: WorkerExit = await driver.wait(handle);
        expect(exit.reason).toBe('completed');
        await driver.destroy(handle);
        await until(() => warm().poolStatus().ready === 2);
        await warm().configurePool({ image: '', size: 0, memoryBudgetBytes: 0 });
        expect(warm().poolStatus().ready).toBe(0);
        await gone();
      });
    });
  });
}
