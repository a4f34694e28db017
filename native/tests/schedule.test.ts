import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { build, fields } from './bed.ts';

let out: string;
beforeAll(() => {
  out = build();
});

interface Tenant {
  share: number;
  limit?: number;
  qos?: 0 | 1 | 2;
  critical?: boolean;
  /** microseconds of one piece of work, and of the host between two */
  work: number;
  gap?: number;
  clients?: number;
  /** milli of the multiprocessors that its work occupies; all by default */
  width?: number;
}

/**
 * What the arbiter's schedule gives to simulated clients, in virtual time: permille of the device by tenant.
 * `jitter`: pieces of work are shorter than they say by a random part, up to so many thousandths.
 */
function simulate(seconds: number, tenants: Tenant[], capacity = 0, jitter = 0) {
  const args = tenants.map((t, i) =>
    [
      `t${i}`,
      t.share,
      t.limit ?? 1000,
      t.qos ?? 1,
      t.critical ? 1 : 0,
      t.work,
      t.gap ?? 0,
      t.clients ?? 1,
      t.width ?? 0,
    ].join(':'),
  );
  const text = execFileSync(join(out, 'tests/schedule_sim'), [String(seconds), ...args], {
    encoding: 'utf8',
    env: { ...process.env, CAPACITY: String(capacity), JITTER: String(jitter) },
  });
  const lines = text.trim().split('\n').map(fields);
  return { tenants: lines.slice(0, -1), idle: lines.at(-1)?.idle_permille ?? 0 };
}

describe('the schedule', () => {
  it('holds every share within 2 points for any mix of kernel lengths and process counts', () => {
    const tenant = fc.record({
      share: fc.integer({ min: 50, max: 500 }),
      work: fc.constantFrom(5, 50, 500, 5000, 20_000),
      clients: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(tenant, { minLength: 2, maxLength: 8 }), (tenants) => {
        const sum = tenants.reduce((a, t) => a + t.share, 0);
        const result = simulate(20, tenants);
        for (const [i, t] of tenants.entries())
          expect(Math.abs((result.tenants[i]?.held_permille ?? 0) - (t.share / sum) * 1000)).toBeLessThan(20);
        expect(result.idle).toBeLessThan(1);
      }),
      { numRuns: 60 },
    );
  });

  it('holds them over any window of a second while kernels last up to 20 ms', () => {
    for (const work of [5, 1000, 20_000]) {
      const result = simulate(30, [
        { share: 300, work },
        { share: 700, work: 100 },
      ]);
      for (const t of result.tenants) expect(t.worst_window_permille).toBeLessThanOrEqual(20);
    }
  });

  it.each([0, 20, 100, 500])(
    'holds them over any window of a second for any mix, kernels up to %i permille shorter',
    (jitter) => {
      const tenant = fc.record({
        share: fc.integer({ min: 50, max: 500 }),
        work: fc.constantFrom(5, 50, 500, 5000, 20_000),
        clients: fc.integer({ min: 1, max: 4 }),
      });
      fc.assert(
        fc.property(fc.array(tenant, { minLength: 2, maxLength: 8 }), (mix) => {
          const sum = mix.reduce((a, t) => a + t.share, 0);
          const tenants = mix.map((t) => ({ ...t, share: Math.floor((t.share * 1000) / sum) }));
          // Of 4,000 mixes drawn evenly none is above 20; of 4,000 extremes 5, at most 21.5.
          for (const t of simulate(12, tenants, 0, jitter).tenants)
            expect(t.worst_window_permille).toBeLessThanOrEqual(23);
        }),
        { numRuns: 40 },
      );
    },
  );

  it('charges longer kernels and pays them back', () => {
    const result = simulate(60, [
      { share: 300, work: 1_000_000 },
      { share: 700, work: 100 },
    ]);
    expect(Math.abs((result.tenants[0]?.held_permille ?? 0) - 300)).toBeLessThan(20);
  });

  it('keeps a guaranteed slice at its limit, alone or not', () => {
    fc.assert(
      fc.property(fc.integer({ min: 50, max: 900 }), fc.constantFrom(50, 1000, 20_000), (share, work) => {
        const [alone] = simulate(20, [{ share, limit: share, qos: 0, work }]).tenants;
        expect(Math.abs((alone?.held_permille ?? 0) - share)).toBeLessThan(20);
        const [, other] = simulate(20, [
          { share, limit: share, qos: 0, work },
          { share: 1000 - share, work: 100 },
        ]).tenants;
        expect(other?.held_permille).toBeGreaterThan(1000 - share - 20);
      }),
      { numRuns: 30 },
    );
  });

  it('lends what a slice leaves idle and takes it back', () => {
    const [pausing, steady] = simulate(20, [
      { share: 500, work: 1000, gap: 100_000 },
      { share: 500, work: 1000 },
    ]).tenants;
    expect(steady?.held_permille).toBeGreaterThan(950);
    // It waits for what is left of one turn at most, and for the hand-over.
    expect((pausing?.wait_ms ?? 0) / (20_000 / 101)).toBeLessThan(11);
  });

  it('gives best-effort slices only what nobody else wants', () => {
    const [work, rest] = simulate(20, [
      { share: 500, work: 1000 },
      { share: 0, qos: 2, work: 1000 },
    ]).tenants;
    expect(work?.held_permille).toBeGreaterThan(990);
    expect(rest?.held_permille).toBeLessThan(10);
  });

  it('lets a critical slice wait for no more than the piece of work under way', () => {
    const ordinary = simulate(20, [
      { share: 300, work: 500, gap: 20_000 },
      { share: 300, work: 500 },
      { share: 400, work: 500, clients: 3 },
    ]).tenants[0];
    const critical = simulate(20, [
      { share: 300, work: 500, gap: 20_000, critical: true },
      { share: 300, work: 500 },
      { share: 400, work: 500, clients: 3 },
    ]).tenants[0];
    expect(critical?.wait_ms).toBeLessThanOrEqual(ordinary?.wait_ms ?? 0);
    // Half a piece of work on average, and the hand-over.
    expect((critical?.wait_ms ?? 0) / (20_000 / 20.6)).toBeLessThan(0.5);
  });
});

describe('a turn that several hold at once', () => {
  it('lets in whoever fits beside the others, and all of them work all the time', () => {
    const small = { share: 250, work: 5000, width: 61 }; // 8 blocks on 132 multiprocessors
    const { tenants } = simulate(10, [small, small, small, small], 1000);
    for (const t of tenants) expect(t.worked_permille).toBeGreaterThan(990);
  });

  /** How far the slice that came off worst is from what its share promises, in permille; below 0: it got less. */
  function worst(tenants: Tenant[]): number {
    const sum = tenants.reduce((a, t) => a + t.share, 0);
    const result = simulate(20, tenants, 1000);
    expect(result.idle).toBeLessThan(1);
    // What one slice does beside others costs nobody anything; hand-overs (0.1 ms here) cost a hundredth.
    const off = tenants.map((t, i) => (result.tenants[i]?.worked_permille ?? 0) - (t.share / sum) * 985);
    return Math.min(...off);
  }

  it('does for every slice what its share promises, within 2 points, whoever fits beside whom', () => {
    const tenant = fc.record({
      share: fc.integer({ min: 50, max: 500 }),
      work: fc.constantFrom(5, 50, 500, 5000, 20_000),
      clients: fc.integer({ min: 1, max: 3 }),
      width: fc.constantFrom(0, 61, 300, 500, 700),
    });
    fc.assert(
      fc.property(fc.array(tenant, { minLength: 2, maxLength: 6 }), (tenants) => {
        expect(worst(tenants)).toBeGreaterThan(-20);
      }),
      { numRuns: 60 },
    );
  });

  // Somebody's kernels outlast the turn: while they are waited for, the others keep their claims, also one that runs
  // beside them and so does not wait.
  it.each<[Tenant[]]>([
    [
      [
        { share: 281, work: 50, clients: 3 },
        { share: 462, work: 5000, width: 61 },
        { share: 50, work: 5000, width: 61 },
        { share: 105, work: 20_000, clients: 3, width: 61 },
      ],
    ],
    [
      [
        { share: 433, work: 500, clients: 3 },
        { share: 494, work: 5000, width: 61 },
        { share: 50, work: 5, clients: 3, width: 700 },
        { share: 81, work: 20_000, clients: 3, width: 300 },
      ],
    ],
    [
      [
        { share: 427, work: 5, clients: 3 },
        { share: 477, work: 500, width: 61 },
        { share: 95, work: 500, clients: 2, width: 500 },
        { share: 385, work: 20_000, clients: 3, width: 500 },
        { share: 51, work: 500, clients: 3, width: 300 },
      ],
    ],
  ])('keeps the claim of who runs beside work that outlasts the turn', (tenants) => {
    expect(worst(tenants)).toBeGreaterThan(-20);
  });

  it('lets who leads go on after its turn beside work that outlasts it', () => {
    const { tenants } = simulate(
      20,
      [
        { share: 266, work: 5, width: 500 },
        { share: 212, work: 20_000, clients: 2, width: 500 },
      ],
      1000,
    );
    expect(tenants[0]?.held_permille).toBeGreaterThan(540);
    expect(tenants[1]?.worked_permille).toBeGreaterThan(1000);
  });

  it('does not keep a wide one waiting for ever behind narrow ones', () => {
    const { tenants } = simulate(
      20,
      [
        { share: 100, work: 1000, width: 200 },
        { share: 100, work: 1000, width: 200 },
        { share: 800, work: 1000 },
      ],
      1000,
    );
    expect(tenants[2]?.held_permille).toBeGreaterThan(780);
    expect(tenants[0]?.worked_permille).toBeGreaterThan(180); // both at once in their common turns
  });
});
