// What a process of an over-committed slice takes to be in use, and in which order it moves that.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { build, fields } from './bed.ts';

let out: string;
beforeAll(() => {
  out = build();
});

const PAGE = 2 << 20;
/** Address of the n-th allocation: each has its own 64 MiB. */
const at = (n: number) => (n + 1) * 32 * PAGE;

function run(...commands: string[]): string[] {
  const input = `${commands.join('\n')}\n`;
  return execFileSync(join(out, 'tests/working_set'), { input, encoding: 'utf8' }).trim().split('\n');
}
/** Allocations of so many pages each. */
const add = (...pages: number[]) => pages.map((n, i) => `add ${at(i)} ${n * PAGE}`);
/** Moves as `direction allocation pages`, and the figures behind them in pages. */
const readable = (line: string): string => {
  const [, direction, address, bytes] = /^(device|host) (\d+) (\d+)$/.exec(line) ?? [];
  if (direction) {
    const n = Math.floor(Number(address) / (32 * PAGE)) - 1;
    return `${direction} ${n}+${(Number(address) - at(n)) / PAGE} ${Number(bytes) / PAGE}`;
  }
  const f = fields(line);
  return `set ${(f.set ?? 0) / PAGE} there ${(f.resident ?? 0) / PAGE} moved ${(f.moved ?? 0) / PAGE}`;
};
const seen = (...commands: string[]) => run(...commands).map(readable);

describe('the working set', () => {
  it('is what launches name, inside an allocation too; the rest is left alone', () => {
    expect(seen(...add(4, 4, 4), `saw ${at(0)} 7 ${at(2) + 3 * PAGE + 8}`, 'keep 0', 'out', 'in')).toEqual([
      'host 0+0 4',
      'host 2+0 4',
      'set 8 there 0 moved 8',
      'device 2+0 4',
      'device 0+0 4',
      'set 8 there 8 moved 8',
    ]);
  });

  it('comes back used last first, as far as there is room', () => {
    const before = [...add(4, 4, 4), `saw ${at(1)}`, `saw ${at(0)}`, `saw ${at(2)}`, 'keep 0', 'out'];
    expect(seen(...before, `room ${6 * PAGE}`, 'in').slice(4)).toEqual([
      'device 2+0 4',
      'device 0+0 2',
      'set 12 there 6 moved 6',
    ]);
  });

  it('lets go of what was unused for longest, from its end, and no more than is asked for', () => {
    const before = [...add(4, 4, 4), `saw ${at(1)}`, `saw ${at(0)}`, `saw ${at(2)}`];
    expect(seen(...before, `keep ${7 * PAGE}`, 'out')).toEqual([
      'host 1+0 4',
      'host 0+3 1',
      'set 12 there 7 moved 5',
    ]);
    expect(seen(...before, 'out')).toEqual(['set 12 there 12 moved 0']);
  });

  it('moves nothing that is there already, unless that is not sure any more', () => {
    const before = [...add(4, 4), `saw ${at(0)} ${at(1)}`];
    expect(seen(...before, 'in')).toEqual(['set 8 there 8 moved 0']);
    expect(seen(...before, 'disturb', 'in')).toEqual([
      'device 1+0 4',
      'device 0+0 4',
      'set 8 there 8 moved 8',
    ]);
  });

  it('is what graphs were given when they were captured, once they are launched', () => {
    expect(seen(...add(4, 4), `record ${at(1)}`, 'in', 'graph', 'in')).toEqual([
      'set 0 there 0 moved 0',
      'set 4 there 4 moved 0',
    ]);
  });

  it('is everything after a launch that cannot be looked into, but for what the program manages itself', () => {
    expect(seen(...add(4, 4), `add ${at(2)} ${4 * PAGE} own`, 'opaque', 'keep 0', 'out')).toEqual([
      'host 1+0 4',
      'host 0+0 4',
      'set 8 there 0 moved 8',
    ]);
    expect(seen(...add(4), 'graph', 'keep 0', 'out')).toEqual(['host 0+0 4', 'set 4 there 0 moved 4']);
  });

  it('forgets what is freed', () => {
    expect(seen(...add(4, 4), `saw ${at(0)} ${at(1)}`, `remove ${at(0)}`, 'keep 0', 'out')).toEqual([
      'host 1+0 4',
      'set 4 there 0 moved 4',
    ]);
  });

  it('never believes more to be there than it brought, nor keeps more than it may', () => {
    const command = fc.oneof(
      fc.integer({ min: 0, max: 5 }).map((n) => `saw ${at(n)}`),
      fc.integer({ min: 0, max: 5 }).map((n) => `remove ${at(n)}`),
      fc.integer({ min: 0, max: 24 }).map((n) => `keep ${n * PAGE}`),
      fc.integer({ min: 0, max: 24 }).map((n) => `room ${n * PAGE}`),
      fc.constantFrom('in', 'out', 'idle', 'disturb', 'opaque'),
    );
    fc.assert(
      fc.property(
        fc.array(command, { minLength: 5, maxLength: 40 }),
        fc.integer({ min: 0, max: 24 }),
        (all, keep) => {
          const last = run(...add(4, 3, 5, 1, 6, 2), ...all, `keep ${keep * PAGE}`, 'out').at(-1) ?? '';
          const f = fields(last);
          expect(f.resident).toBeLessThanOrEqual(keep * PAGE);
          expect(f.set).toBeLessThanOrEqual(21 * PAGE);
          expect(f.over).toBe(0);
        },
      ),
      { numRuns: 80 },
    );
  });
});
