import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { FixtureHandlers } from './table-worker.fixture.ts';
import { TableWorkers } from './table-workers.ts';

const fixture = new URL('./table-worker.fixture.ts', import.meta.url);
const pool = (size: number, signal?: AbortSignal) => new TableWorkers<FixtureHandlers>(size, signal, fixture);

describe('table workers', () => {
  it('answer tasks and move buffers', async () => {
    await using workers = pool(2);
    const sent = Array.from({ length: 20 }, (_, i) => Float64Array.of(i, i + 0.5));
    const answers = await Promise.all(
      sent.map((values) => workers.run('double', { values }, [values.buffer])),
    );
    expect(sent.every(({ length }) => length === 0)).toBe(true);
    expect(answers).toEqual(sent.map((_, i) => Float64Array.of(2 * i, 2 * i + 1)));
  });

  it('run side by side, and no more than so many', async () => {
    await using workers = pool(2);
    const used = await Promise.all(
      Array.from({ length: 6 }, () => workers.run('thread', { milliseconds: 20 })),
    );
    expect(new Set(used).size).toBe(2);
    await using lone = pool(1);
    const alone = await Promise.all(Array.from({ length: 4 }, () => lone.run('thread', { milliseconds: 1 })));
    expect(new Set(alone).size).toBe(1);
  });

  it('see what is shared, whether they started before or after', async () => {
    await using workers = pool(2);
    const first = workers.run('shared', { name: 'a' });
    workers.share('a', { words: ['x', null] });
    const both = [workers.run('shared', { name: 'a' }), workers.run('shared', { name: 'a' })];
    expect(await first).toBeUndefined();
    expect(await Promise.all(both)).toEqual([{ words: ['x', null] }, { words: ['x', null] }]);
  });

  it('hand on what a task throws, and go on', async () => {
    await using workers = pool(1);
    await expect(workers.run('fail', {})).rejects.toMatchObject({
      name: 'RangeError',
      message: 'too far',
      code: 'ENOSPC',
    });
    // Functions are no data.
    await expect(workers.run('fail', { not: () => 1 })).rejects.toThrow(/could not be cloned/);
    expect(await workers.run('thread', { milliseconds: 0 })).toBeGreaterThan(0);
  });

  it('end all tasks with the reason of an abort, even amidst one', async () => {
    const controller = new AbortController();
    await using workers = pool(1, controller.signal);
    const running = workers.run('spin', {});
    const queued = workers.run('thread', { milliseconds: 0 });
    controller.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    await expect(queued).rejects.toThrow('enough');
    await expect(workers.run('spin', {})).rejects.toThrow('enough');
    await expect(pool(1, controller.signal).run('spin', {})).rejects.toThrow('enough');
  });

  it('tell when a thread dies, and when they are closed', async () => {
    const dying = pool(2);
    const other = dying.run('spin', {});
    await expect(dying.run('die', {})).rejects.toThrow('ended with code 3');
    await expect(other).rejects.toThrow('ended with code 3');
    await dying.close();
    const closed = pool(1);
    const cut = closed.run('spin', {});
    const refused = expect(cut).rejects.toThrow('closed');
    await closed.close();
    await refused;
    await expect(closed.run('spin', {})).rejects.toThrow('closed');
  });

  it('start in any process: with its memory bounded, and with a program in its flags', async () => {
    const module = new URL('./table-workers.ts', import.meta.url);
    const program = `const { TableWorkers } = await import('${module}');
      const workers = new TableWorkers(1, undefined, new URL('${fixture}'));
      console.log(await workers.run('thread', { milliseconds: 0 }) > 0);
      await workers.close();`;
    for (const flags of [[], ['--max-old-space-size=200']]) {
      const { stdout } = await promisify(execFile)(process.execPath, [
        ...flags,
        '--input-type=module',
        '-e',
        program,
      ]);
      expect(stdout).toBe('true\n');
    }
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--max-old-space-size=200',
      fileURLToPath(new URL('./table-workers.fixture.ts', import.meta.url)),
    ]);
    expect(stdout).toBe('true\n');
  });
});
