import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DockerDriver } from './docker/driver.ts';
import { TEST_IMAGE, testEngine } from './testing/test-engine.ts';
import { RingDrain, WorkerHarness } from './testing/worker-harness.ts';

const MIB = 1024 * 1024;

/** Prints a line every 50 ms until it is told to end; misses none if it is left in peace. */
const NEIGHBOUR = `
import signal, sys, time
done = []
signal.signal(15, lambda *a: done.append(1))
open('mine.txt', 'w').write('neighbour')
n = 0
while not done:
    print('tick', n, flush=True); n += 1; time.sleep(0.05)
print('content', open('mine.txt').read(), flush=True)
`;

/** Scripts that mean harm. Each must end contained and reported; the neighbour must not notice. */
describe('hostile scripts', () => {
  const harness = new WorkerHarness(TEST_IMAGE);
  let driver: DockerDriver;
  let neighbour: Awaited<ReturnType<DockerDriver['start']>>;
  let neighbourOutput: RingDrain;

  beforeAll(async () => {
    driver = await DockerDriver.open({ socketPath: await testEngine(), home: harness.home });
    neighbour = await driver.start(harness.launch(NEIGHBOUR, { timeLimitMs: 0 }));
    neighbourOutput = new RingDrain(neighbour.ringPath);
  });

  afterAll(async () => {
    await driver.stop(neighbour);
    const exit = await driver.wait(neighbour);
    const { stdout, dropped } = neighbourOutput.close();
    await driver.destroy(neighbour);
    const left = await driver.purge();
    await driver.close();
    harness.cleanup();
    // Checked last: after everything below, the neighbour is whole and nothing is left.
    expect(exit.exitCode).toBe(0);
    expect(dropped).toBe(0);
    const ticks = [...stdout.matchAll(/^tick (\d+)$/gm)].map((m) => Number(m[1]));
    expect(ticks).toEqual(ticks.map((_, i) => ticks[0]! + i));
    expect(stdout).toContain('content neighbour');
    expect(left).toEqual({ containers: [], networks: [], folders: [] });
  });

  const run = (script: string, changes = {}) => harness.run(driver, script, changes);

  test('memory without end', async () => {
    const { exit } = await run('import os\nx = []\nwhile True: x.append(os.urandom(4 << 20))');
    expect(exit).toMatchObject({ reason: 'oom', oomKilled: true });
  });

  test('memory without end, in children that are replaced', async () => {
    const { exit } = await run(`
import os, time
end = time.time() + 2
while time.time() < end:
    pid = os.fork()
    if pid == 0:
        x = []
        while True: x.append(bytearray(16 << 20))
    os.waitpid(pid, 0)
raise SystemExit(1)
`);
    expect(exit).toMatchObject({ reason: 'oom', oomKilled: true });
  });

  test('a fork bomb', async () => {
    const { exit } = await run('import os\nwhile True:\n    try: os.fork()\n    except OSError: pass', {
      timeLimitMs: 1500,
      pidsLimit: 64,
    });
    expect(['timeout', 'oom', 'failed', 'signal']).toContain(exit.reason);
  });

  test('a thread bomb', async () => {
    const { exit } = await run(
      'import threading, time\nn = 0\nwhile True:\n    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n',
      { pidsLimit: 64 },
    );
    expect(exit).toMatchObject({ reason: 'failed', exception: { type: 'RuntimeError' } });
  });

  test('a disk filler', async () => {
    const before = statfsSync('/dev/shm').bavail;
    const { exit, outputs } = await run(`
import os
for folder in (os.environ['VGPU_OUTPUT'], '/vgpu/ctl/s', '/tmp'):
    try:
        with open(folder + '/fill', 'wb') as f:
            while f.tell() < 1 << 34: f.write(b'x' * (1 << 20))
        print('unbounded', folder)
    except OSError as e: print('bounded', folder, e.strerror)
    except MemoryError: print('bounded', folder)
`);
    const watched = (await driver.fingerprint()).capabilities.outputBounds === 'watched';
    expect(['completed', 'oom', ...(watched ? ['output-limit'] : [])]).toContain(exit.reason);
    expect(outputs.bytes).toBeLessThanOrEqual(16 * MIB);
    expect(statfsSync('/dev/shm').bavail).toBeGreaterThan(before - 32 * 256);
  });

  test('an output folder full of files is bounded', async () => {
    const { exit, stdout, outputs } = await run(`
import os
n = 0
try:
    while n < 1000000:
        open('f%d' % n, 'w').close(); n += 1
except OSError as e: print('stopped at', n, e.strerror)
`);
    if (driver.context.folders.canMount) {
      expect(exit.reason).toBe('completed');
      expect(stdout).toMatch(/stopped at \d+ No space left on device/);
    } else expect(exit.reason).toBe('output-limit');
    expect(outputs.files.length).toBeLessThanOrEqual(200);
  });

  test('a single line of 1 GB', async () => {
    const { exit, dropped } = await run(
      "import os\nb = b'x' * (1 << 20)\nfor _ in range(1024):\n    n = 0\n    while n < len(b): n += os.write(1, b[n:])\nos.write(1, b'end\\n')",
      { timeLimitMs: 0 },
    );
    expect(exit.reason).toBe('completed');
    expect(dropped).toBeGreaterThanOrEqual(0);
  }, 300_000);

  test('output without end', async () => {
    const { exit } = await run(
      "import sys\nwhile True: sys.stdout.write('spam ' * 100 + chr(27) + '[2J\\n')",
      { timeLimitMs: 1000 },
    );
    expect(exit.reason).toBe('timeout');
  });

  test('a signal ignorer with children of its kind', async () => {
    const { exit } = await run(
      'import os, signal, time\nfor s in range(1, 32):\n    try: signal.signal(s, signal.SIG_IGN)\n    except OSError: pass\nos.fork(); os.fork()\nwhile True: time.sleep(1)',
      { timeLimitMs: 300 },
    );
    expect(exit.reason).toBe('timeout');
  }, 30_000);

  test('daemons that outlive their parent', async () => {
    const { exit, handle } = await run(`
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            print('daemon', flush=True); time.sleep(0.001)
    os._exit(0)
time.sleep(0.1)
`);
    expect(exit).toMatchObject({ reason: 'completed', exitCode: 0 });
    expect(await driver.inspect(handle)).toBeUndefined();
  });

  test('links, FIFOs, sockets, traversal and odd names among the outputs', async () => {
    const { outputs, outDir, exit } = await run(`
import os, socket
os.symlink('/etc/shadow', 'shadow.txt'); os.symlink('/', 'root'); os.symlink('../../../../etc', 'up')
os.mkfifo('pipe'); socket.socket(socket.AF_UNIX).bind('sock')
os.mkdir('d'); open('d/ok.txt', 'w').write('fine'); os.link('d/ok.txt', 'hard')
open(b'\\xff\\xfe.bin', 'w').write('x'); open('esc\\x1b[2J.txt', 'w').write('x'); open('new\\nline', 'w').write('x')
try: os.mknod('dev', 0o20666, os.makedev(1, 1))
except OSError as e: print('mknod', e.strerror)
os.chmod('d/ok.txt', 0o4777); open('sparse', 'wb').truncate(1 << 40) if os.environ.get('SPARSE') else None
deep = 'deep'
for _ in range(90):
    os.mkdir(deep); os.chdir(deep)
open('bottom', 'w').write('x')
`);
    expect(exit.reason).toBe('completed');
    expect(outputs.files.map((f) => f.path)).toEqual(['d/ok.txt', 'hard']);
    const why = Object.fromEntries(outputs.skipped.map((s) => [s.path.split('/')[0], s.why]));
    expect(why).toMatchObject({
      'shadow.txt': 'a link',
      root: 'a link',
      up: 'a link',
      pipe: 'a FIFO',
      sock: 'a socket',
      deep: 'too deep',
    });
    expect(outputs.skipped.map((s) => s.path).join('')).not.toMatch(/[\u0000-\u001f]/);
    expect(lstatSync(join(outDir, 'd/ok.txt')).mode & 0o7777).toBe(0o644);
    for (const entry of readdirSync(outDir, { recursive: true, withFileTypes: true }))
      expect(entry.isFile() || entry.isDirectory()).toBe(true);
  });

  test('a sparse file of a terabyte', async () => {
    const { outputs } = await run("open('sparse', 'wb').truncate(1 << 40); open('small', 'w').write('x')");
    expect(outputs.files.map((f) => f.path)).not.toContain('sparse');
    expect(outputs).toMatchObject({ truncated: true });
  });

  test('the network, the engine, the host and the neighbour', async () => {
    const listener = createServer((socket) => socket.end('host service')).listen(0, '0.0.0.0');
    await new Promise((resolve) => listener.once('listening', resolve));
    const port = (listener.address() as { port: number }).port;
    const { stdout, exit } = await run(
      `
import glob, os, socket, sys
def attempt(name, f):
    try: print(name, 'REACHED', f())
    except Exception as e: print(name, 'blocked', type(e).__name__)
for host in ('127.0.0.1', '172.17.0.1', '169.254.169.254', '8.8.8.8'):
    attempt('tcp ' + host, lambda: socket.create_connection((host, ${port}), 1))
attempt('dns', lambda: socket.gethostbyname('example.org'))
attempt('raw', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt('packet', lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
attempt('vsock', lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM))
for path in ('/var/run/docker.sock', '/run/docker.sock', '/run/containerd/containerd.sock'):
    attempt('engine ' + path, lambda: socket.socket(socket.AF_UNIX).connect(path))
attempt('shadow', lambda: open('/etc/shadow').read())
attempt('host root', lambda: os.listdir('/proc/1/root/home'))
attempt('sysrq', lambda: open('/proc/sysrq-trigger', 'w').write('b'))
attempt('core pattern', lambda: open('/proc/sys/kernel/core_pattern', 'w').write('|/evil'))
attempt('release agent', lambda: [open(p, 'w') for p in glob.glob('/sys/fs/cgroup/**/release_agent', recursive=True)][0])
attempt('memory limit', lambda: [open(p, 'w').write('-1') for p in ('/sys/fs/cgroup/memory/memory.limit_in_bytes', '/sys/fs/cgroup/memory.max') if os.path.exists(p)][0])
attempt('disk', lambda: open('/dev/vda', 'rb').read(1))
attempt('kernel memory', lambda: open('/dev/mem', 'rb').read(1))
print('neighbours', [p for p in glob.glob('/proc/[0-9]*/cmdline') if b'tick' in open(p, 'rb').read()], glob.glob('/dev/shm/*'), glob.glob('/vgpu/out/../../*/mine.txt'))
attempt('supervisor memory', lambda: open('/proc/1/mem', 'rb'))
attempt('supervisor environment', lambda: open('/proc/1/environ').read())
`,
    ).finally(() => listener.close());
    expect(exit.reason).toBe('completed');
    expect(stdout).not.toContain('REACHED');
    expect(stdout.split('\n').filter((l) => l.includes('blocked')).length).toBeGreaterThanOrEqual(20);
    expect(stdout).toContain('neighbours [] [] []');
  });

  test('a forged ring and a forged control folder', async () => {
    const { exit, stdout } = await run(`
import os, glob
for path in ['/vgpu/ctl/ring', *glob.glob('/vgpu/ctl/s/*')]:
    try: os.unlink(path)
    except OSError: pass
try: os.symlink('/etc/passwd', '/vgpu/ctl/ring')
except OSError as e: print('ring stays', e.strerror)
os.symlink('/etc/passwd', '/vgpu/ctl/s/exit.json')
os.mkfifo('/vgpu/ctl/s/sup.sock')
print('still here')
`);
    expect(exit).toMatchObject({ exitCode: 0 });
    if (driver.context.folders.canMount) expect(stdout).toContain('ring stays');
    expect(stdout).toContain('still here');
    // Where the server is root the ring cannot even be opened; elsewhere a script that breaks it harms itself.
    if (!driver.context.folders.canMount) return;
    const scribbled = await run("open('/vgpu/ctl/ring', 'r+b').truncate(10)");
    expect(scribbled.exit).toMatchObject({ reason: 'failed', exception: { type: 'PermissionError' } });
    expect(scribbled.ringBroken).toBe(false);
  });

  test('orders from inside are not obeyed', async () => {
    const { stdout } = await run(`
import json, socket, time
s = socket.socket(socket.AF_UNIX); s.connect('/vgpu/ctl/s/sup.sock')
try:
    s.sendall(json.dumps({'op': 'run', 'command': {'kind': 'exec', 'argv': ['id']}}).encode() + b'\\n')
    print('answer', s.recv(100))
except OSError as e: print('answer', b'')
`);
    expect(stdout.trim()).toBe("answer b''");
  });

  test('an exit that lies about itself stays its own affair', async () => {
    const { exit } = await run(`
import json, os
for fd in range(3, 64):
    try: os.write(fd, json.dumps({'event': 'exception', 'type': 'A' * 10000, 'message': '\\x1b[2J' * 10000, 'traceback': 'x' * 100000}).encode() + b'\\n')
    except OSError: pass
os._exit(3)
`);
    expect(exit.exitCode).toBe(3);
    expect(exit.message.length).toBeLessThanOrEqual(500);
  });

  test('nothing of it is left on the host', () => {
    const mounts = readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .filter((l) => l.includes(driver.context.homeId));
    // The neighbour's own two.
    expect(mounts.length).toBeLessThanOrEqual(2);
    const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
    expect(
      processes.split('\n').filter((l) => l.includes('/vgpu/runtime/supervisor.py')).length,
    ).toBeGreaterThanOrEqual(1);
    expect(readdirSync(driver.context.folders.diskRoot)).toEqual([
      readdirSync(driver.context.folders.volatileRoot)[0],
    ]);
  });
});
