import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fleet } from '../placer/fleet.ts';
import { Placer } from '../placer/placer.ts';
import { type PodShape, typicalPods } from '../placer/typical.ts';
import { Fgd } from './fgd.ts';

const pod: fc.Arbitrary<PodShape> = fc.record({
  cpuMilli: fc.constantFrom(500, 3152, 4000, 11_300),
  gpuMilli: fc.constantFrom(160, 470, 810, 1000),
  gpuCount: fc.constantFrom(0, 1, 2, 4),
  models: fc.constantFrom<string[]>([], ['A'], ['B', 'C']),
});

/** F_n as the paper writes it: the share-weighted sum, over pods, of what the node has free but useless. */
function byDefinition(free: number[], cpu: number, model: string, pods: PodShape[]): number {
  const total = free.reduce((a, b) => a + b, 0);
  let f = 0;
  for (const m of pods) {
    const typeOk = !m.models?.length || m.models.includes(model);
    const hosts =
      m.gpuCount > 0 &&
      typeOk &&
      cpu >= m.cpuMilli &&
      free.filter((x) => x >= m.gpuMilli).length >= m.gpuCount;
    f += (hosts ? free.filter((x) => x < m.gpuMilli).reduce((a, b) => a + b, 0) : total) / pods.length;
  }
  return f;
}

describe('Fgd', () => {
  it('equals the published definition, for every state and CPU', () => {
    fc.assert(
      fc.property(
        fc.array(pod, { minLength: 1, maxLength: 12 }),
        fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 0, max: 20_000 }),
        fc.constantFrom('A', 'B'),
        (pods, tenths, cpu, model) => {
          const free = tenths.map((x) => x * 10);
          const fleet = new Fleet([{ id: 'n', cpuMilli: 20_000, memoryBytes: 1, model, gpuFree: free }]);
          const fgd = new Fgd(fleet, typicalPods(pods));
          expect(fgd.fragmentation(fleet.state[0]!, cpu)).toBeCloseTo(
            byDefinition(free, cpu, model, pods),
            6,
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  it('scores in buckets of the sigmoid and takes the first device of equals', () => {
    const fleet = new Fleet([
      { id: 'n', cpuMilli: 8000, memoryBytes: 1, model: 'A', gpuFree: [1000, 1000, 500] },
    ]);
    const typical = typicalPods([{ cpuMilli: 1000, gpuMilli: 500, gpuCount: 1 }]);
    const placer = new Placer(fleet, new Fgd(fleet, typical));
    const shape = placer.shape({ cpuMilli: 1000, memoryBytes: 0, gpuMilli: 500, gpuCount: 1 });
    // No choice makes anything useless, so all score int(100·sigmoid(0)) = 50 and the first device wins.
    expect(placer.score(shape, 0)).toBe(50);
    expect(placer.place(shape)?.devices).toEqual([0]);
  });
});

describe('typicalPods', () => {
  it('keeps the commonest shapes until they cover the part asked for', () => {
    const many = (n: number, gpuMilli: number) =>
      Array.from({ length: n }, (): PodShape => ({ cpuMilli: 1, gpuMilli, gpuCount: 1, models: ['B', 'A'] }));
    const kept = typicalPods([...many(60, 100), ...many(36, 200), ...many(4, 300)], 0.95);
    expect(kept.map((t) => [t.gpuMilli, t.weight])).toEqual([
      [100, 60 / 96],
      [200, 36 / 96],
    ]);
    expect(kept[0]!.models).toEqual(['A', 'B']);
  });
});
