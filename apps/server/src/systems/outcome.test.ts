import { jobSpec } from '@vgpu/core';
import type { WorkerExit } from '@vgpu/drivers';
import { expect, test } from 'vitest';
import { backoffMs, decideOutcome, FREE_LOSSES } from './outcome.ts';

const spec = (retries = 0) => jobSpec.parse({ script: 'a.py', limits: { retries } });
const exit = (reason: WorkerExit['reason'], more: Partial<WorkerExit> = {}): WorkerExit => ({
  reason,
  exitCode: 1,
  oomKilled: false,
  timings: { start: 1, run: 2 },
  message: '',
  ...more,
});
const task = { retries_used: 0, losses: 0, stop_by: null };
const decide = (
  ended: WorkerExit,
  options: { retries?: number; task?: Partial<typeof task> | { stop_by: string }; ourFault?: boolean } = {},
) =>
  decideOutcome(
    ended,
    spec(options.retries),
    { ...task, ...options.task },
    { at: 1, ourFault: options.ourFault ?? false },
  );

test('a loss that is our fault is free, up to a bound; any other one is paid for', () => {
  expect(decide(exit('lost'), { ourFault: true })).toMatchObject({
    to: 'QUEUED',
    paidBy: 'loss',
    exitCode: null,
  });
  const often = { ourFault: true, task: { losses: FREE_LOSSES } };
  expect(decide(exit('lost'), often)).toMatchObject({ to: 'FAILED', reason: { code: 'WORKER_LOST' } });
  expect(decide(exit('lost'), { retries: 1 })).toMatchObject({ to: 'QUEUED', paidBy: 'retries' });
  expect(decide(exit('lost'))).toMatchObject({ to: 'FAILED' });
});

test('failures are tried again as often as asked', () => {
  expect(decide(exit('failed'), { retries: 2, task: { retries_used: 1 } }).to).toBe('QUEUED');
  expect(decide(exit('failed'), { retries: 2, task: { retries_used: 2 } }).to).toBe('FAILED');
  expect([1, 2, 3, 20].map(backoffMs)).toEqual([500, 1000, 2000, 30_000]);
});

test('what was stopped is cancelled however it ended, unless it had completed', () => {
  const stopped = { retries: 5, task: { stop_by: 'ada' } };
  for (const reason of ['failed', 'signal', 'stopped', 'lost', 'timeout'] as const) {
    expect(decide(exit(reason), stopped)).toMatchObject({
      to: 'CANCELLED',
      reason: { code: 'STOPPED', message: 'stopped by ada' },
    });
  }
  expect(decide(exit('completed', { exitCode: 0 }), stopped).to).toBe('COMPLETED');
});

test('reasons say what happened', () => {
  const exception = { type: 'KeyError', message: "'x'", traceback: '' };
  expect(decide(exit('failed', { exception })).reason?.message).toBe("KeyError: 'x'");
  expect(decide(exit('failed', { exitCode: 7 })).reason?.message).toContain('exit code 7');
  expect(decide(exit('oom')).reason).toMatchObject({
    code: 'OUT_OF_MEMORY',
    message: expect.stringContaining('512 MiB'),
  });
  expect(decide(exit('signal', { signal: 'SIGSEGV' })).reason?.message).toContain('SIGSEGV');
});
