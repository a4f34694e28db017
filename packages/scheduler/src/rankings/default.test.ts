import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fleet } from '../placer/fleet.ts';
import { Placer } from '../placer/placer.ts';
import type { TypicalPod } from '../placer/typical.ts';
import { cpuLevel, levelCpu } from './cpu-levels.ts';
import { DefaultRanking } from './default.ts';
import { ExpectedFill } from './expected-fill.ts';
import { WasteTable } from './learned-waste.ts';
import { trainWaste } from './train-waste.ts';
import { typePressure } from './type-pressure.ts';

function typical(gpuMilli: number, weight: number, over: Partial<TypicalPod> = {}): TypicalPod {
  return { cpuMilli: 4000, gpuMilli, gpuCount: 1, models: [], weight, ...over };
}

function nodes(count: number, gpus: number, cpuMilli = 64_000, model = 'A') {
  return Array.from({ length: count }, (_, i) => ({
    id: `${model}${i}`,
    cpuMilli,
    memoryBytes: 100,
    model,
    gpuFree: new Array<number>(gpus).fill(1000),
  }));
}

describe('ExpectedFill', () => {
  it('is all of what is free where work divides it, none where nothing fits', () => {
    const fleet = new Fleet(nodes(1, 2));
    const fill = new ExpectedFill(fleet, [typical(500, 1)]);
    const state = (free: number[]) => fleet.states.intern(0, free);
    expect(fill.value(state([1000, 1000]), 64_000)).toBe(2000);
    expect(fill.value(state([1000, 400]), 64_000)).toBe(1000);
    expect(fill.value(state([400, 400]), 64_000)).toBe(0);
    // CPU for one only.
    expect(fill.value(state([1000, 1000]), 7000)).toBe(500);
  });

  it('stays within what is free and sees what other models may not take', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 2, maxLength: 2 }),
        fc.nat(64_000),
        (free, cpu) => {
          const fleet = new Fleet(nodes(1, 2));
          const work = [typical(810, 0.4), typical(160, 0.3), typical(1000, 0.3, { models: ['B'] })];
          const v = new ExpectedFill(fleet, work).value(fleet.states.intern(0, free), cpu);
          expect(v).toBeGreaterThanOrEqual(0);
          expect(v).toBeLessThanOrEqual(free[0]! + free[1]!);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('WasteTable', () => {
  it('learns averages and falls back to coarser cells', () => {
    const table = new WasteTable();
    const cell = { free: 190, cpu: 4, whole: 2, model: 'A' };
    table.learn(cell, 190 * 1000, 1000);
    expect(table.waste(cell)).toBeCloseTo(190, 0);
    expect(table.waste({ ...cell, model: 'B', whole: 0 })).toBeGreaterThan(150);
    expect(new WasteTable(JSON.parse(JSON.stringify(table))).waste(cell)).toBe(table.waste(cell));
  });

  it('is taught the same by the same seed', () => {
    const work = [typical(810, 0.5), typical(160, 0.2), typical(1000, 0.3)];
    const teach = (seed: number) => JSON.stringify(trainWaste(nodes(20, 4), work, { seed, runs: 2 }));
    expect(teach(1)).toBe(teach(1));
    expect(teach(2)).not.toBe(teach(1));
  });
});

describe('DefaultRanking', () => {
  it('pairs fractions that fill a device', () => {
    const fleet = new Fleet(nodes(2, 2));
    const work = [typical(810, 0.5), typical(160, 0.5)];
    const placer = new Placer(fleet, new DefaultRanking(fleet, work));
    const shape = (gpuMilli: number) =>
      placer.shape({ cpuMilli: 4000, memoryBytes: 0, gpuMilli, gpuCount: 1 });
    const first = placer.place(shape(810))!;
    const second = placer.place(shape(160))!;
    expect([second.node, second.devices]).toEqual([first.node, first.devices]);
  });

  it('leaves models that others name to them', () => {
    const fleet = new Fleet([...nodes(1, 2, 64_000, 'rare'), ...nodes(1, 2, 64_000, 'common')]);
    const work = [typical(1000, 0.3, { models: ['rare'] }), typical(1000, 0.7)];
    expect([...typePressure(fleet, work)][1]).toBe(0);
    const placer = new Placer(fleet, new DefaultRanking(fleet, work));
    const placed = placer.place(
      placer.shape({ cpuMilli: 4000, memoryBytes: 0, gpuMilli: 1000, gpuCount: 1 }),
    )!;
    expect(fleet.models[fleet.model[placed.node]!]).toBe('common');
  });

  it('keeps whole nodes for work that needs them, yet refuses nothing', () => {
    const fleet = new Fleet(nodes(4, 8));
    const work = [typical(1000, 0.8), typical(1000, 0.2 / 4, { gpuCount: 8, cpuMilli: 32_000 })];
    const placer = new Placer(fleet, new DefaultRanking(fleet, work));
    const small = placer.shape({ cpuMilli: 1000, memoryBytes: 0, gpuMilli: 1000, gpuCount: 1 });
    const large = placer.shape({ cpuMilli: 32_000, memoryBytes: 0, gpuMilli: 1000, gpuCount: 8 });
    for (let i = 0; i < 24; i++) expect(placer.place(small)).toBeDefined();
    expect(placer.find(large)).toBeDefined();
    for (let i = 0; i < 8; i++) expect(placer.place(small)).toBeDefined();
    expect(placer.place(small)).toBeUndefined();
  });
});

describe('CPU levels', () => {
  it('round down, never up, and never lose order', () => {
    fc.assert(
      fc.property(fc.nat(300_000), fc.nat(300_000), (a, b) => {
        expect(levelCpu(cpuLevel(a))).toBeLessThanOrEqual(a);
        expect(cpuLevel(levelCpu(cpuLevel(a)))).toBe(cpuLevel(a));
        if (a <= b) expect(cpuLevel(a)).toBeLessThanOrEqual(cpuLevel(b));
      }),
    );
  });
});
