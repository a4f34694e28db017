import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SupervisorExit } from './control-channel.ts';
import { decideExit, type ExitEvidence } from './exit-reason.ts';

const said = (changes: Partial<SupervisorExit> = {}): SupervisorExit => ({
  event: 'exit',
  code: 0,
  signal: null,
  oom: false,
  oomKills: 0,
  timedOut: false,
  stopped: false,
  exception: null,
  startedAt: 100,
  endedAt: 300,
  ...changes,
});
const evidence = (changes: Partial<ExitEvidence> = {}): ExitEvidence => ({
  hostTimedOut: false,
  stopRequested: false,
  askedAt: 50,
  endedAt: 310,
  memoryBytes: 512 * 1024 * 1024,
  ...changes,
});

describe('why a worker ended', () => {
  test.each([
    ['completed', { supervisor: said() }],
    ['failed', { supervisor: said({ code: 1 }) }],
    [
      'failed',
      { supervisor: said({ code: 1, exception: { type: 'ValueError', message: 'x', traceback: '' } }) },
    ],
    ['signal', { supervisor: said({ code: 139, signal: 'SIGSEGV' }) }],
    ['oom', { supervisor: said({ code: 137, signal: 'SIGKILL', oom: true, oomKills: 1 }) }],
    ['oom', { supervisor: said({ code: 1, oomKills: 3 }) }],
    ['completed', { supervisor: said({ oomKills: 3 }) }],
    ['oom', { engine: { exitCode: 137, oomKilled: true, error: '' } }],
    ['lost', { engine: { exitCode: 137, oomKilled: false, error: '' } }],
    ['lost', { engine: 'gone' as const }],
    ['timeout', { supervisor: said({ code: 143, signal: 'SIGTERM', timedOut: true }), timeLimitMs: 1000 }],
    ['timeout', { engine: { exitCode: 137, oomKilled: false, error: '' }, hostTimedOut: true }],
    ['stopped', { supervisor: said({ code: 0 }), stopRequested: true }],
    [
      'output-limit',
      { engine: { exitCode: 137, oomKilled: false, error: '' }, outputExceeded: 'over 5 files' },
    ],
  ] as const)('%s', (reason, changes) => {
    expect(decideExit(evidence(changes)).reason).toBe(reason);
  });

  test('a worker that said nothing did not end well, even where the engine says 0', () => {
    const exit = decideExit(evidence({ engine: { exitCode: 0, oomKilled: false, error: '' } }));
    expect(exit).toMatchObject({ reason: 'lost', exitCode: 255 });
  });

  test('times are never negative and a zero exit is never out of memory', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 255 }),
        fc.nat(),
        fc.nat(),
        fc.nat(),
        fc.boolean(),
        (code, asked, started, ended, oom) => {
          const exit = decideExit(
            evidence({ askedAt: asked, supervisor: said({ code, startedAt: started, endedAt: ended, oom }) }),
          );
          expect(exit.timings.start).toBeGreaterThanOrEqual(0);
          expect(exit.timings.run).toBeGreaterThanOrEqual(0);
          if (code === 0) expect(exit.oomKilled).toBe(false);
        },
      ),
    );
  });
});
