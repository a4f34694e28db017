import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findSpot, isLegal, profileAmounts } from './placement.ts';
import { migProduct } from './profiles.ts';

const GIB = 1024 ** 3;
const models = [
  'NVIDIA A30',
  'NVIDIA A100-SXM4-40GB',
  'NVIDIA A100 80GB PCIe',
  'NVIDIA H100 80GB HBM3',
  'NVIDIA H200',
  'NVIDIA B200',
];
const product = (model: string) => migProduct(model, model.includes('40GB') ? 40 * GIB : 80 * GIB)!;

describe('profiles', () => {
  it('carry the names that the driver prints', () => {
    const names = (model: string) => product(model).profiles.map((p) => p.name);
    expect(names('NVIDIA A30')).toContain('2g.12gb');
    expect(names('NVIDIA A100-SXM4-40GB')).toEqual([
      '1g.5gb',
      '1g.5gb+me',
      '1g.10gb',
      '2g.10gb',
      '3g.20gb',
      '4g.20gb',
      '7g.40gb',
    ]);
    expect(names('NVIDIA A100 80GB PCIe')).toContain('7g.80gb');
    expect(names('NVIDIA H200')).toContain('3g.71gb');
    expect(names('NVIDIA B200')).toContain('1g.23gb');
    expect(migProduct('Tesla T4', 16 * GIB)).toBeUndefined();
  });

  it('fit as often as NVIDIA says, each alone on a device', () => {
    const counts: Record<string, number[]> = {
      'NVIDIA A30': [4, 1, 2, 1, 1],
      'NVIDIA H100 80GB HBM3': [7, 1, 4, 3, 2, 1, 1],
    };
    for (const [model, expected] of Object.entries(counts)) {
      const p = product(model);
      const most = p.profiles.map((profile) => {
        const placed: { profile: string; start: number; taskId: string }[] = [];
        for (;;) {
          const spot = findSpot(p, placed, profile.name);
          if (!spot) return placed.length;
          placed.push({ profile: profile.name, start: spot.start, taskId: 'x' });
        }
      });
      expect(most).toEqual(expected);
    }
  });
});

describe('isLegal', () => {
  it('knows what may and may not stand together', () => {
    const a100 = product('NVIDIA A100-SXM4-40GB');
    const at = (profile: string, start: number) => ({ profile, start });
    expect(isLegal(a100, [at('4g.20gb', 0), at('3g.20gb', 4)])).toBe(true);
    expect(isLegal(a100, [at('3g.20gb', 0), at('3g.20gb', 4)])).toBe(true);
    expect(isLegal(a100, [at('4g.20gb', 0), at('2g.10gb', 4), at('1g.5gb', 6)])).toBe(true);
    expect(isLegal(a100, [at('4g.20gb', 4)])).toBe(false);
    expect(isLegal(a100, [at('3g.20gb', 0), at('1g.5gb', 3)])).toBe(false);
    expect(isLegal(a100, [at('7g.40gb', 0), at('1g.5gb', 0)])).toBe(false);
  });
});

describe('findSpot', () => {
  it('never touches held instances and leaves a legal device', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...models),
        fc.array(fc.record({ profile: fc.nat(6), held: fc.boolean() }), { maxLength: 8 }),
        fc.nat(6),
        (model, steps, wanted) => {
          const p = product(model);
          const name = (i: number) => p.profiles[i % p.profiles.length]!.name;
          let existing: { profile: string; start: number; taskId?: string }[] = [];
          for (const step of [...steps, { profile: wanted, held: true }]) {
            const spot = findSpot(p, existing, name(step.profile));
            if (!spot) continue;
            for (const d of spot.destroy)
              expect(
                existing.some(
                  (e) => e.profile === d.profile && e.start === d.start && e.taskId === undefined,
                ),
              ).toBe(true);
            existing = existing.filter(
              (e) => !spot.destroy.some((d) => d.profile === e.profile && d.start === e.start),
            );
            existing.push({
              profile: name(step.profile),
              start: spot.start,
              ...(step.held ? { taskId: 't' } : {}),
            });
            expect(isLegal(p, existing)).toBe(true);
            const sum = existing.reduce(
              (s, e) => s + profileAmounts(p, p.profiles.find((x) => x.name === e.profile)!, 80 * GIB).milli,
              0,
            );
            expect(sum).toBeLessThanOrEqual(1000);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('leaves the large places whole', () => {
    const a100 = product('NVIDIA A100-SXM4-40GB');
    const first = findSpot(a100, [], '1g.5gb')!;
    const existing = [{ profile: '1g.5gb', start: first.start, taskId: 'x' }];
    expect(findSpot(a100, existing, '4g.20gb')).toBeDefined();
    expect(
      findSpot(a100, [...existing, { profile: '4g.20gb', start: 0, taskId: 'y' }], '2g.10gb'),
    ).toBeDefined();
  });
});
