import { describe, expect, test } from 'vitest';
import { canKeepWarm, type WorkerExit } from '../types.ts';
import { type Bench, until } from './bench.ts';

/** Workers that were started ahead. */
export function warmPoolTests(at: Bench): void {
  describe('warm workers', () => {
    const pool = { image: at.image, size: 2, memoryBudgetBytes: 1024 ** 3 };
    const warm = () => {
      if (!canKeepWarm(at.driver)) throw new Error('this suite expects a warm pool');
      return at.driver;
    };

    test('take one task each, with that task’s own limits', async () => {
      await warm().configurePool(pool);
      await until(() => warm().poolStatus().ready === 2);
      expect(await at.driver.list()).toEqual([]);
      const script = `
import os, sys
print(sorted(m for m in ('sklearn', 'pandas', 'numpy') if m in sys.modules), os.environ['N'], open(sys.argv[1]).read().split()[0])
x = []
while True: x.append(bytearray(8 << 20))`;
      const launches = ['1', '2', '3'].map((n) =>
        at.harness.launch(script, { env: { N: n }, memoryBytes: 400 * 1024 * 1024 }),
      );
      const finished = await Promise.all(
        launches.map(async (l) => at.harness.finish(at.driver, await at.driver.start(l))),
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
      const done = await at.harness.run(at.driver, 'print(1)', { command: { kind: 'exec', argv: ['true'] } });
      expect(done.handle.warm).toBe(false);
    });

    test('survive a server that restarts; an adopted one is found as its task', async () => {
      await until(() => warm().poolStatus().ready === 2);
      const handle = await at.driver.start(at.harness.launch('import time; time.sleep(1)'));
      expect(handle.warm).toBe(true);
      await until(() => warm().poolStatus().ready === 2);
      await at.driver.close();
      await at.open();
      const found = await at.driver.recover();
      expect(found.map((h) => h.taskId)).toEqual([handle.taskId]);
      await warm().configurePool(pool);
      expect(warm().poolStatus().ready).toBe(2);
      expect((await at.driver.wait(handle)).reason).toBe('completed');
      expect(await at.driver.reap(new Set([handle.attemptId]))).toEqual({
        containers: [],
        networks: [],
        folders: [],
      });
      await at.driver.destroy(handle);
    });

    test('that die are replaced; an empty pool leaves nothing', async () => {
      await until(() => warm().poolStatus().ready === 2);
      const handle = await at.driver.start(
        at.harness.launch('import os; os.kill(os.getppid(), 9); import time; time.sleep(0.2)'),
      );
      const exit: WorkerExit = await at.driver.wait(handle);
      expect(exit.reason).toBe('completed');
      await at.driver.destroy(handle);
      await until(() => warm().poolStatus().ready === 2);
      await warm().configurePool({ image: '', size: 0, memoryBudgetBytes: 0 });
      expect(warm().poolStatus().ready).toBe(0);
      await at.gone();
    });
  });
}
