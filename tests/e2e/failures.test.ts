import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workersOf } from './harness/engine-view.ts';
import { eventually } from './harness/eventually.ts';
import { TestServer } from './harness/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  // Room for four hostile scripts and their neighbours at once, whatever the machine has.
  server = await TestServer.start({ VGPU_CPU: '4' });
});
afterAll(() => server?.close());

/** The single task of a job. */
const only = (job: { tasks: unknown[] }) =>
  job.tasks[0] as Record<string, never> & {
    state: string;
    exitCode: number;
    attempts: number;
    reason: { code: string; message: string } | null;
  };

describe('a task that fails says why', () => {
  test('an exception, by its type and text', async () => {
    const task = only(await server.run('def f():\n    raise ValueError("no such label: 42")\nf()\n'));
    expect(task).toMatchObject({ state: 'FAILED', exitCode: 1, reason: { code: 'SCRIPT_EXCEPTION' } });
    expect(task.reason?.message).toBe('ValueError: no such label: 42');
  });

  test('an exit code', async () => {
    const task = only(await server.run('import sys\nsys.exit(7)\n'));
    expect(task).toMatchObject({ state: 'FAILED', exitCode: 7, reason: { code: 'SCRIPT_FAILED' } });
  });

  test('memory, told apart from a crash', async () => {
    const hog = 'held = []\nwhile True:\n    held.append(bytearray(16 << 20))\n';
    const task = only(await server.run(hog, ['--memory', '256MiB']));
    expect(task).toMatchObject({ state: 'FAILED', reason: { code: 'OUT_OF_MEMORY' } });
    expect(task.reason?.message).toContain('256 MiB');
  });

  test('a signal', async () => {
    const task = only(await server.run('import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n'));
    expect(task).toMatchObject({ state: 'FAILED', reason: { code: 'KILLED' } });
    expect(task.reason?.message).toContain('SIGSEGV');
  });

  test('time, though the script ignores SIGTERM', async () => {
    const stubborn = 'import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)\n';
    const task = only(await server.run(stubborn, ['--time', '2s']));
    expect(task).toMatchObject({ state: 'FAILED', reason: { code: 'TIMED_OUT' } });
  });

  test('a module that is not there', async () => {
    const task = only(await server.run('import nothing_of_this_name\n'));
    expect(task.reason).toMatchObject({ code: 'SCRIPT_EXCEPTION' });
    expect(task.reason?.message).toContain('nothing_of_this_name');
  });

  test('after its retries, each of which was an attempt', async () => {
    const task = only(await server.run('raise RuntimeError("again")\n', ['--retries', '2']));
    expect(task).toMatchObject({ state: 'FAILED', attempts: 3 });
  });
});

describe('a hostile script is contained, and its neighbour does not notice', () => {
  const neighbour =
    'import time\nfor i in range(20):\n    print("beat", i, flush=True)\n    time.sleep(0.1)\n';

  test.concurrent.each([
    [
      'a fork bomb',
      'import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n',
    ],
    [
      'a thread bomb',
      'import threading, time\nwhile True:\n    threading.Thread(target=time.sleep, args=(600,)).start()\n',
    ],
    ['infinite output', 'while True:\n    print("x" * 1000)\n'],
    ['one endless line', 'import sys\nwhile True:\n    sys.stdout.write("x" * 65536)\n'],
    [
      'a disk filler',
      'import os\nwith open(os.environ["VGPU_OUTPUT"] + "/big", "wb") as f:\n    while True:\n        f.write(b"0" * (1 << 20))\n',
    ],
    [
      'a /tmp filler',
      'with open("/tmp/big", "wb") as f:\n    while True:\n        f.write(b"0" * (1 << 20))\n',
    ],
    [
      'a daemon that outlives its parent',
      'import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        while True:\n            time.sleep(1)\n    os._exit(0)\nprint("parent gone")\n',
    ],
  ])('%s', async (name, script) => {
    const file = name.replaceAll(/\W/g, '-');
    const flags = ['--cpu', '0.5', '--memory', '256MiB'];
    const [victim, hostile] = await Promise.all([
      server.run(neighbour, flags, `neighbour-of-${file}.py`),
      server.run(script, [...flags, '--time', '8s'], `${file}.py`),
    ]);
    expect(victim.state).toBe('COMPLETED');
    expect(victim.tasks[0]?.lines).toBe(20);
    expect(['COMPLETED', 'FAILED']).toContain(hostile.state);
    const mine = [victim, hostile].map((job) => job.tasks[0]?.container);
    await eventually(
      'its container is gone',
      async () => (await workersOf(server.home)).every((one) => !mine.includes(one.Id)),
      10_000,
    );
  });

  test('nothing of them is left', async () => {
    await eventually('no worker is left', async () => (await workersOf(server.home)).length === 0, 10_000);
  });

  test('a worker reaches nothing: no network, no engine, no host files, no root', async () => {
    const probe = `
import os, socket
def reach(address):
    try:
        socket.create_connection(address, timeout=2).close()
        return True
    except OSError:
        return False
print('network', reach(('1.1.1.1', 53)) or reach(('172.17.0.1', 22)) or reach(('169.254.169.254', 80)))
print('engine', any(os.path.exists(p) for p in ('/var/run/docker.sock', '/run/docker.sock', '/run/podman/podman.sock')))
print('uid', os.getuid() == 0)
def writes(path):
    try:
        open(path, 'w').close()
        return True
    except OSError:
        return False
print('root', writes('/etc/x') or writes('/usr/x') or writes(os.path.dirname(os.path.abspath(__file__)) + '/x'))
status = open('/proc/self/status').read()
caps = [l.split()[1] for l in status.splitlines() if l.startswith('CapEff')][0]
print('capabilities', int(caps, 16) != 0)
print('privileges', 'NoNewPrivs:\\t1' not in status)
print('seccomp', 'Seccomp:\\t2' not in status)
print('devices', any(d.startswith(('sd', 'nvme', 'kmsg', 'mem')) for d in os.listdir('/dev')))
`;
    const job = await server.run(probe, [], 'probe.py');
    expect(job.state).toBe('COMPLETED');
    const { stdout } = await server.vgpu(['logs', job.id]);
    const answers = stdout.trim().split('\n');
    expect(answers).toHaveLength(8);
    for (const answer of answers) expect(answer).toMatch(/ False$/);
  });

  test('what a script prints never reaches the terminal unfiltered', async () => {
    const job = await server.run(
      `print("\\x1b]0;owned\\x07\\x1b[2J\\x1b[31mred\\u202eevil")\n`,
      [],
      'escape.py',
    );
    const { stdout } = await server.vgpu(['logs', job.id]);
    expect(stdout).toContain('red');
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(stdout).not.toContain('owned');
  });
});
