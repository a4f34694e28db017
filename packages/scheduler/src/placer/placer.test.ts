import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeRanking, RANKINGS } from '../rankings/catalogue.ts';
import { Fleet, type FleetNode } from './fleet.ts';
import { Placer } from './placer.ts';
import { typicalPods } from './typical.ts';

const node = fc.record({
  cpuMilli: fc.integer({ min: 4, max: 32 }).map((c) => c * 1000),
  memoryBytes: fc.integer({ min: 10, max: 40 }),
  model: fc.constantFrom('A', 'B', ''),
  gpus: fc.integer({ min: 0, max: 4 }),
});

const cluster: fc.Arbitrary<FleetNode[]> = fc.array(node, { minLength: 1, maxLength: 30 }).map((nodes) =>
  nodes.map((n, i) => ({
    id: `n${i}`,
    cpuMilli: n.cpuMilli,
    memoryBytes: n.memoryBytes,
    model: n.gpus ? n.model || 'A' : '',
    gpuFree: new Array<number>(n.gpus).fill(1000),
  })),
);

const pod = fc.record({
  cpuMilli: fc.constantFrom(0, 1000, 4000),
  memoryBytes: fc.constantFrom(0, 1, 5),
  gpuMilli: fc.constantFrom(160, 470, 810, 1000),
  gpuCount: fc.constantFrom(0, 1, 1, 1, 2, 4),
  models: fc.constantFrom<string[]>([], [], ['A'], ['A', 'B']),
});

/** Places and gives back at random; `check` sees the placer before each placement. */
function churn(
  nodes: FleetNode[],
  pods: { cpuMilli: number; memoryBytes: number; gpuMilli: number; gpuCount: number; models: string[] }[],
  ends: number[],
  placer: Placer,
  check: (pod: (typeof pods)[number]) => void,
): void {
  void nodes;
  const running: { node: number; devices: number[]; pod: (typeof pods)[number] }[] = [];
  for (const [i, p] of pods.entries()) {
    check(p);
    const placed = placer.place(placer.shape(p));
    if (placed) running.push({ ...placed, pod: p });
    const end = ends[i % Math.max(1, ends.length)];
    if (end !== undefined && end % 3 === 0 && running.length > 0) {
      const [gone] = running.splice(end % running.length, 1);
      placer.fleet.add(
        gone!.node,
        gone!.pod.cpuMilli,
        gone!.pod.memoryBytes,
        gone!.devices,
        gone!.pod.gpuCount ? gone!.pod.gpuMilli : 0,
      );
    }
  }
}

describe('Placer', () => {
  for (const name of RANKINGS)
    it(`${name}: finds exactly the first best node, however few candidates it keeps`, () => {
      fc.assert(
        fc.property(
          cluster,
          fc.array(pod, { minLength: 1, maxLength: 60 }),
          fc.array(fc.nat(), { maxLength: 10 }),
          fc.integer({ min: 1, max: 8 }),
          (nodes, pods, ends, capacity) => {
            const fleet = new Fleet(nodes);
            const placer = new Placer(fleet, makeRanking(name, fleet, typicalPods(pods)), capacity);
            churn(nodes, pods, ends, placer, (p) => {
              const shape = placer.shape(p);
              let best = -1;
              let top = Number.NEGATIVE_INFINITY;
              for (let n = 0; n < fleet.count; n++) {
                const s = placer.score(shape, n);
                if (s > top) [best, top] = [n, s];
              }
              const found = placer.find(shape);
              expect(found?.node ?? -1).toBe(best);
              // A ranking never refuses what fits.
              const fitting = nodes.filter((_, n) => {
                const free = [...fleet.gpu.subarray(n * fleet.stride, n * fleet.stride + fleet.gpus[n]!)];
                return (
                  fleet.cpu[n]! >= p.cpuMilli &&
                  fleet.memory[n]! >= p.memoryBytes &&
                  (p.gpuCount === 0 || p.models.length === 0 || p.models.includes(nodes[n]!.model)) &&
                  free.filter((f) => f >= p.gpuMilli).length >= p.gpuCount
                );
              });
              expect(found !== undefined).toBe(fitting.length > 0);
              // Another may be asked for, as when a node is kept for other work.
              const second = placer.find(shape, (n) => n !== best);
              expect(second !== undefined).toBe(fitting.length > 1);
            });
          },
        ),
        { numRuns: name === 'default' ? 25 : 50 },
      );
    });

  it('never takes more than there is and gives back exactly', () => {
    fc.assert(
      fc.property(cluster, fc.array(pod, { maxLength: 60 }), (nodes, pods) => {
        const fleet = new Fleet(nodes);
        const placer = new Placer(fleet, makeRanking('bestfit', fleet, []));
        const placed = pods.map((p) => ({ p, at: placer.place(placer.shape(p)) }));
        for (const amounts of [fleet.cpu, fleet.memory, fleet.gpu])
          for (const a of amounts) expect(a).toBeGreaterThanOrEqual(0);
        for (const { p, at } of placed)
          if (at) fleet.add(at.node, p.cpuMilli, p.memoryBytes, at.devices, p.gpuCount ? p.gpuMilli : 0);
        const fresh = new Fleet(nodes);
        expect([fleet.cpu, fleet.memory, fleet.gpu]).toEqual([fresh.cpu, fresh.memory, fresh.gpu]);
        expect(() => fleet.add(0, -1e9, 0, [], 0)).toThrow('over-committed');
      }),
      { numRuns: 50 },
    );
  });
});
