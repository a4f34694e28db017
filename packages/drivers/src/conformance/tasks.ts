import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { RingDrain } from '../testing/worker-harness.ts';
import { type Bench, until } from './bench.ts';

/** How tasks run and end. */
export function taskTests(at: Bench): void {
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
      const done = await at.harness.run(at.driver, script, {});
      expect(done.exit).toMatchObject({ reason: 'completed', exitCode: 0 });
      expect(done.stdout).toBe('last line' + 'thread\nhandler\n');
      expect(readFileSync(join(done.outDir, 'left-open.txt'), 'utf8')).toBe('kept');
      await at.gone();
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
      const done = await at.harness.run(
        at.driver,
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
      await at.gone();
    });

    test('that raises is failed, with its exception', async () => {
      const { exit, stderr } = await at.harness.run(
        at.driver,
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
      expect((await at.harness.run(at.driver, 'import sys; sys.exit(7)')).exit).toMatchObject({
        reason: 'failed',
        exitCode: 7,
      });
      expect((await at.harness.run(at.driver, 'import sys; sys.exit("bad input")')).exit).toMatchObject({
        reason: 'failed',
        exitCode: 1,
      });
      const crash = await at.harness.run(
        at.driver,
        'import os, signal; os.kill(os.getpid(), signal.SIGSEGV)',
      );
      expect(crash.exit).toMatchObject({
        reason: 'signal',
        exitCode: 139,
        signal: 'SIGSEGV',
        oomKilled: false,
      });
    });

    test('may be any program', async () => {
      const done = await at.harness.run(at.driver, '', {
        command: { kind: 'exec', argv: ['sh', '-c', 'echo "$0 $FOO $(pwd)"; exit 3', 'hello'] },
        env: { FOO: 'bar' },
      });
      expect(done.stdout).toBe('hello bar /vgpu/out\n');
      expect(done.exit).toMatchObject({ reason: 'failed', exitCode: 3 });
      const none = await at.harness.run(at.driver, '', {
        command: { kind: 'exec', argv: ['no-such-program'] },
      });
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
      const launch = at.harness.launch(script, {
        env: { A: '1', PYTHONHASHSEED: '7' },
        secrets: [
          { file: 'token', value, env: 'TOKEN' },
          { file: 'raw', value: Buffer.from([0, 255, 0]) },
        ],
      });
      const handle = await at.driver.start(launch);
      const drain = new RingDrain(handle.ringPath);
      await until(() => drain.stderr.includes('\n'));
      expect(drain.stdout.split('\n')).toEqual([
        '1 True 26 None',
        "0o400 True ['tmpfs'] ['raw', 'token']",
        'masked ***',
        '',
      ]);
      expect(drain.stderr).toBe('on stderr ***\n');
      const known = [await at.driver.inspect(handle), await at.driver.list(), handle];
      expect(JSON.stringify(known)).not.toContain('s3cret-value');
      drain.close();
      await at.driver.destroy(handle);
    });

    test('an exception does not tell a secret', async () => {
      const secrets = [{ file: 'token', value: Buffer.from('s3cret-value'), env: 'TOKEN' }];
      const done = await at.harness.run(at.driver, 'import os\nraise KeyError(os.environ["TOKEN"])', {
        secrets,
      });
      expect(done.exit.exception).toMatchObject({ type: 'KeyError', message: "'***'" });
      expect(JSON.stringify(done.exit) + done.stderr).not.toContain('s3cret-value');
    });

    test('that uses too much memory is "oom", not a crash', async () => {
      const { exit } = await at.harness.run(at.driver, 'x = []\nwhile True: x.append(bytearray(8 << 20))');
      expect(exit).toMatchObject({ reason: 'oom', oomKilled: true });
      expect(exit.exitCode).not.toBe(0);
    });

    test('is ended at its time limit', async () => {
      const { exit } = await at.harness.run(at.driver, 'import time; time.sleep(60)', { timeLimitMs: 300 });
      expect(exit.reason).toBe('timeout');
    });

    test('keeps pictures that plt.show() would have shown', async () => {
      const done = await at.harness.run(
        at.driver,
        'import matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()\nplt.plot([3]); plt.show()',
      );
      expect(done.exit.reason).toBe('completed');
      expect(done.outputs.files.map((f) => f.path)).toEqual(['figure-01.png', 'figure-02.png']);
    });
  });
}
