import { describe, expect, test } from 'vitest';
import { RingDrain } from '../testing/worker-harness.ts';
import type { DriverEvent } from '../types.ts';
import { type Bench, until } from './bench.ts';

/** Stops, losses, and a server that dies in between. */
export function lifecycleTests(at: Bench): void {
  describe('stopping', () => {
    test('asks first', async () => {
      const handle = await at.driver.start(
        at.harness.launch(
          'import signal, sys, time\nsignal.signal(15, lambda *a: (print("bye", flush=True), sys.exit(0)))\nprint("up", flush=True)\ntime.sleep(60)',
        ),
      );
      const drain = new RingDrain(handle.ringPath);
      await until(() => drain.stdout.includes('up'));
      await at.driver.stop(handle);
      expect(await at.driver.wait(handle)).toMatchObject({ reason: 'stopped', exitCode: 0 });
      expect(drain.close().stdout).toContain('bye');
      await at.driver.destroy(handle);
    });

    test('then insists', async () => {
      const handle = await at.driver.start(
        at.harness.launch(
          'import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint("up", flush=True)\nwhile True: time.sleep(1)',
        ),
      );
      const drain = new RingDrain(handle.ringPath);
      await until(() => drain.stdout.includes('up'));
      await at.driver.stop(handle, { graceMs: 200 });
      expect((await at.driver.wait(handle)).reason).toBe('stopped');
      drain.close();
      await at.driver.destroy(handle);
    });

    test('destroy ends a running worker, as often as it is asked', async () => {
      const handle = await at.driver.start(at.harness.launch('import time; time.sleep(60)'));
      const exit = at.driver.wait(handle);
      const [a, b] = await Promise.all([at.driver.destroy(handle), at.driver.destroy(handle)]);
      expect(a.teardownMs).toBe(b.teardownMs);
      expect((await exit).exitCode).not.toBe(0);
      await at.driver.destroy(handle);
      expect(await at.driver.inspect(handle)).toBeUndefined();
      await at.gone();
    });
  });

  describe('a start', () => {
    test('that is given up at any moment leaves nothing', async () => {
      const starts = [0, 2, 5, 10, 20, 40, 80, 160].map(async (ms) => {
        const abort = new AbortController();
        const starting = at.driver.start(at.harness.launch('import time; time.sleep(60)'), abort.signal);
        setTimeout(() => abort.abort(), ms);
        const [started] = await Promise.allSettled([starting]);
        if (started.status === 'fulfilled') await at.driver.destroy(started.value);
        else expect(started.reason).toMatchObject({ code: 'ABORTED' });
      });
      await Promise.all(starts);
      await at.gone();
    });

    test('whose dataset is gone leaves nothing', async () => {
      const launch = at.harness.launch('', { datasetPath: '/no/such/data.csv' });
      await expect(at.driver.start(launch)).rejects.toThrow(/no such file/i);
      await at.gone();
    });
  });

  describe('a server that dies', () => {
    test('finds its workers again, and hears each end once', async () => {
      const running = await at.driver.start(at.harness.launch('import time; time.sleep(1.5); print("done")'));
      const ended = await at.driver.start(
        at.harness.launch('import time; time.sleep(0.2); raise ValueError("while away")'),
      );
      await at.driver.close();
      await new Promise((resolve) => setTimeout(resolve, 600));
      await at.open();
      const events: DriverEvent[] = [];
      at.driver.onEvent((event) => events.push(event));
      const handles = await at.driver.recover();
      expect(handles.map((h) => h.attemptId).sort()).toEqual([running.attemptId, ended.attemptId].sort());
      expect((await at.driver.wait(ended)).exception).toMatchObject({
        type: 'ValueError',
        message: 'while away',
      });
      expect((await at.driver.wait(running)).reason).toBe('completed');
      expect(await at.driver.recover()).toEqual([]);
      const exits = events
        .filter((e) => e.type === 'exit')
        .map((e) => (e as { handle: { attemptId: string } }).handle.attemptId);
      expect(exits.sort()).toEqual([running.attemptId, ended.attemptId].sort());
      const result = await at.driver.reap(new Set([running.attemptId]));
      expect(result.containers).toHaveLength(1);
      expect((await at.driver.list()).map((s) => s.handle.attemptId)).toEqual([running.attemptId]);
      await at.driver.destroy(running);
      await at.gone();
    });
  });

  test('a worker that is killed from outside is "lost"', async () => {
    const handle = await at.driver.start(at.harness.launch('import time; time.sleep(60)'));
    const status = await at.driver.inspect(handle);
    expect(status).toMatchObject({ phase: 'running', handle: { taskId: handle.taskId } });
    process.kill(status!.pid!, 'SIGKILL');
    expect((await at.driver.wait(handle)).reason).toBe('lost');
    await at.driver.destroy(handle);
  });

  test('a launch that cannot start says why and leaves nothing', async () => {
    await expect(
      at.driver.start(at.harness.launch('', { image: 'vgpu/no-such-image:latest' })),
    ).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    await expect(
      at.driver.start(
        at.harness.launch('', { command: { kind: 'python', script: '../../etc/passwd', args: [] } }),
      ),
    ).rejects.toMatchObject({ code: 'BAD_LAUNCH' });
    await expect(at.driver.start(at.harness.launch('', { ports: [70_000] }))).rejects.toMatchObject({
      code: 'BAD_LAUNCH',
    });
    await at.gone();
  });

  test('one attempt has one worker', async () => {
    const launch = at.harness.launch('import time; time.sleep(20)');
    const results = await Promise.allSettled([at.driver.start(launch), at.driver.start(launch)]);
    expect(results.map((r) => r.status).sort()).toEqual(['fulfilled', 'rejected']);
    const handle = results.find((r) => r.status === 'fulfilled')!.value;
    await at.driver.destroy(handle);
  });
}
