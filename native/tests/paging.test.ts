// What over-commitment decides: how long turns last, and who leaves how much on the device. Pure, in virtual time.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { build, fields } from './bed.ts';

let out: string;
beforeAll(() => {
  out = build();
});

const run = (program: string, ...args: (string | number)[]): string[] =>
  execFileSync(join(out, 'tests', program), args.map(String), { encoding: 'utf8' })
    .trim()
    .split('\n');
const plan = (...args: (string | number)[]): number[] => run('paging_plan', ...args).map(Number);
const GB = 1e9;
const MS = 1e6;

describe('the anti-thrash quantum', () => {
  it('is none where everything fits', () => {
    expect(plan('cost', 7 * GB, 4 * GB, 8 * GB, 20 * GB)).toEqual([0]);
    expect(plan('quantum', 10, 2000, 200, 0, 0)).toEqual([0]);
  });

  it('counts what does not fit beside the others, in and out, at the speed that was seen', () => {
    // 5 + 5 on 8: 2 have to go and 2 to come at each hand-over
    expect(plan('cost', 10 * GB, 5 * GB, 8 * GB, 20 * GB)).toEqual([200 * MS]);
    // three of 5 on 8: all of a set
    expect(plan('cost', 15 * GB, 5 * GB, 8 * GB, 20 * GB)).toEqual([500 * MS]);
    // a small one beside two large ones moves no more than it has
    expect(plan('cost', 21 * GB, 1 * GB, 8 * GB, 20 * GB)).toEqual([100 * MS]);
    // one that is larger than the device moves no more than that holds
    expect(plan('cost', 40 * GB, 20 * GB, 8 * GB, 20 * GB)).toEqual([800 * MS]);
  });

  it('keeps moves below the stated part of a turn, within its bounds', () => {
    expect(plan('quantum', 10, 10_000, 200, 50 * MS, 0)).toEqual([500 * MS]);
    expect(plan('quantum', 20, 10_000, 200, 50 * MS, 0)).toEqual([250 * MS]);
    expect(plan('quantum', 10, 2000, 200, 500 * MS, 0)).toEqual([2000 * MS]);
    expect(plan('quantum', 10, 2000, 200, 50 * MS, 1)).toEqual([200 * MS]);
    expect(plan('quantum', 10, 2000, 200, 50 * MS, 4)).toEqual([50 * MS]);
  });

  const simulate = (seconds: number, ...tenants: string[]) =>
    run('schedule_sim', seconds, ...tenants).map(fields);
  // id:share:limit:qos:critical:work_us:gap_us:clients:width:quantum_us:cost_us
  it('holds in the schedule: at most a tenth of the turns is spent moving, and shares stand', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 200, max: 800 }),
        fc.constantFrom(5, 50, 150),
        fc.constantFrom(500, 20_000),
        (share, costMs, work) => {
          const paging = `${costMs * 10_000}:${costMs * 1000}`;
          const [a, b] = simulate(
            120,
            `a:${share}:1000:1:0:${work}:0:1:0:${paging}`,
            `b:${1000 - share}:1000:1:0:${work}:0:1:0:${paging}`,
          );
          for (const t of [a, b]) expect(t?.moving_permille).toBeLessThanOrEqual(105);
          expect(Math.abs((a?.held_permille ?? 0) - share)).toBeLessThan(30);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('without it, the same moves take most of the time', () => {
    const [a] = simulate(30, 'a:500:1000:1:0:500:0:1:0:0:50000', 'b:500:1000:1:0:500:0:1:0:0:50000');
    expect(a?.moving_permille).toBeGreaterThan(700);
  });

  it('keeps the promise to guaranteed and critical slices', () => {
    const large = (id: string, quantum: number) => `${id}:350:1000:1:0:500:0:1:0:${quantum}:50000`;
    const [, , promised] = simulate(60, large('a', 100_000), large('b', 100_000), 'g:200:200:0:0:1000:20000');
    expect(promised?.longest_wait_ms).toBeLessThan(200 + 60); // and a move
    const [, , critical] = simulate(
      60,
      large('a', 200_000),
      large('b', 200_000),
      'c:200:1000:1:1:1000:20000',
    );
    expect(critical?.longest_wait_ms).toBeLessThan(60);
  });
});

describe('who leaves what on the device', () => {
  it('nobody lets go of anything while all fits', () => {
    expect(plan('keep', 10, '4:4:h', '4:4:n', '2:2:i')).toEqual([-1, -1, -1]);
  });

  it('the holder leaves as much as its heir needs, and no more', () => {
    expect(plan('keep', 8, '5:5:h', '5:3:n')).toEqual([3, -1]);
  });

  it('who just had the device is the one who needs it last: others that wait keep theirs', () => {
    expect(plan('keep', 10, '5:5:h', '5:2:n', '5:3:w')).toEqual([2, -1, -1]);
  });

  it('what wants nothing goes first, at once', () => {
    expect(plan('keep', 10, '6:2:h', '2:2:n', '4:4:i')).toEqual([-1, -1, 2]);
  });

  it('several that hold the device together (under MPS) each leave what the heir needs beside the others', () => {
    expect(plan('keep', 12, '4:4:h', '4:4:h', '6:2:n')).toEqual([2, 2, -1]);
  });

  it('a holder that goes on, or that nobody waits for, keeps all', () => {
    expect(plan('keep', 8, '8:8:h')).toEqual([-1]);
    expect(plan('keep', 8, '6:6:h', '6:2:w')).toEqual([-1, -1]);
  });

  it('makes room for whoever works, and asks for no more than that', () => {
    const process = fc.record({
      set: fc.integer({ min: 0, max: 20 }),
      resident: fc.integer({ min: 0, max: 12 }),
      role: fc.constantFrom('w', 'i'),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        process,
        process,
        fc.array(process, { maxLength: 5 }),
        (capacity, holder, heir, rest) => {
          const all = [{ ...holder, role: 'h' }, { ...heir, role: 'n' }, ...rest];
          const keep = plan('keep', capacity, ...all.map((p) => `${p.set}:${p.resident}:${p.role}`));
          const left = all.map((p, i) => (keep[i] === -1 ? p.resident : Math.min(p.resident, keep[i] ?? 0)));
          const need = (p: typeof holder) => Math.min(capacity, Math.max(p.set, p.resident));
          const others = left.slice(1).reduce((a, b) => a + b, 0);
          expect(need(holder) + others).toBeLessThanOrEqual(capacity);
          const waiting = rest.reduce((a, p) => a + (p.role === 'w' ? p.resident : 0), 0);
          const room = Math.max(0, capacity - need(heir) - waiting);
          expect(left[0]).toBe(Math.min(holder.resident, room));
          // No room is left empty that somebody had to leave.
          const squeezed = left.slice(1).some((bytes, i) => bytes < (all[i + 1]?.resident ?? 0));
          if (squeezed) expect(need(holder) + others).toBe(capacity);
        },
      ),
      { numRuns: 150 },
    );
  });
});
