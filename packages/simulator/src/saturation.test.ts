import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RANKINGS } from '@vgpu/scheduler';
import { afterAll, describe, expect, it } from 'vitest';
import { capacityMilli, demandMilli, inflate } from './arrivals.ts';
import { readNodes, readPods, type TraceNode, type TracePod } from './openb.ts';
import { saturate } from './saturation.ts';
import { simCommand } from './sim-command.ts';
import { syntheticTrace } from './synthetic.ts';

const { nodes, pods } = syntheticTrace({ nodes: 60, pods: 400, seed: 2 });
const MIB = 1024 * 1024;

function nodeCsv(list: readonly TraceNode[]): string {
  const rows = list.map((n) => [n.sn, n.cpuMilli, n.memoryBytes / MIB, n.gpus, n.model].join());
  return `sn,cpu_milli,memory_mib,gpu,model\n${rows.join('\n')}\n`;
}

function podCsv(list: readonly TracePod[]): string {
  const rows = list.map((p) =>
    [p.name, p.cpuMilli, p.memoryBytes / MIB, p.gpuCount, p.gpuMilli, p.models.join('|')].join(),
  );
  return `name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\n${rows.join('\n')}\n`;
}

describe('inflate', () => {
  it('reaches the load with every pod of the list first, and is deterministic by seed', () => {
    const arrivals = inflate(pods, nodes, 3, 9);
    const demand = arrivals.reduce((sum, p) => sum + demandMilli(p), 0);
    expect(demand).toBeGreaterThanOrEqual(3 * capacityMilli(nodes));
    expect(demand - demandMilli(arrivals.at(-1)!)).toBeLessThan(3 * capacityMilli(nodes));
    expect(new Set(arrivals.slice(0, pods.length).map((p) => p.name)).size).toBe(pods.length);
    expect(inflate([...pods].reverse(), nodes, 3, 9)).toEqual(arrivals);
    expect(inflate(pods, nodes, 3, 10)).not.toEqual(arrivals);
  });
});

describe('saturate', () => {
  for (const policy of RANKINGS)
    it(`${policy}: every placement replays without over-commitment, and only what fits nowhere is refused`, () => {
      const arrivals = inflate(pods, nodes, 1.3, 1);
      const r = saturate(nodes, arrivals, { policy, seed: 1, typical: pods });
      const state = new Map(
        nodes.map(({ sn, cpuMilli, memoryBytes, model, gpus }) => [
          sn,
          { cpuMilli, memoryBytes, model, free: new Array<number>(gpus).fill(1000) },
        ]),
      );
      let allocated = 0;
      for (const [i, placed] of r.placements.entries()) {
        const pod = arrivals[i]!;
        expect(placed.pod).toBe(pod.name);
        const fitting = [...state.values()].filter(
          (n) =>
            n.cpuMilli >= pod.cpuMilli &&
            n.memoryBytes >= pod.memoryBytes &&
            (pod.gpuCount === 0 || pod.models.length === 0 || pod.models.includes(n.model)) &&
            n.free.filter((f) => f >= pod.gpuMilli).length >= pod.gpuCount,
        );
        if (placed.node === null) {
          expect(fitting).toEqual([]);
          continue;
        }
        const node = state.get(placed.node)!;
        expect(fitting).toContain(node);
        expect(new Set(placed.gpus).size).toBe(pod.gpuCount);
        node.cpuMilli -= pod.cpuMilli;
        node.memoryBytes -= pod.memoryBytes;
        for (const g of placed.gpus) {
          node.free[g]! -= pod.gpuMilli;
          expect(node.free[g]).toBeGreaterThanOrEqual(0);
        }
        allocated += demandMilli(pod);
      }
      expect(r.final).toBeCloseTo((100 * allocated) / capacityMilli(nodes), 9);
      expect(r.allocation['130']).toBeCloseTo(r.final, 9);
    });

  it('is deterministic by seed', () => {
    const arrivals = inflate(pods, nodes, 1.1, 1);
    const run = (seed: number) => saturate(nodes, arrivals, { seed, typical: pods }).placements;
    expect(run(3)).toEqual(run(3));
    expect(run(4)).not.toEqual(run(3));
  });
});

describe('simCommand', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sim-'));
  afterAll(() => rmSync(dir, { recursive: true }));
  const path = (name: string, text: string) => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const nodeFile = path('nodes.csv', nodeCsv(nodes));
  const podFile = path('pods.csv', podCsv(pods));

  it('feeds --arrivals in the order of the file and writes one placement a line', async () => {
    const lines: string[] = [];
    const placements = join(dir, 'out.jsonl');
    const arrivals = path('arrivals.csv', podCsv(inflate(pods, nodes, 1.3, 5)));
    const options = {
      nodes: nodeFile,
      arrivals,
      typical: podFile,
      policy: 'fgd',
      seed: 2,
      placements,
      json: true,
    };
    expect(await simCommand({ ...options, out: (l) => lines.push(l) })).toBe(0);
    const rows = readFileSync(placements, 'utf8').trim().split('\n');
    const order = readPods(readFileSync(arrivals, 'utf8')).map((p) => p.name);
    expect(rows.map((row) => JSON.parse(row).pod)).toEqual(order);
    expect(Object.keys(JSON.parse(rows[0]!))).toEqual(['pod', 'node', 'gpus']);
    const printed = JSON.parse(lines.join('\n'));
    expect(Object.keys(printed.allocation)).toEqual(['90', '95', '100', '105', '110', '120', '130']);
    expect(printed.decisionsPerSecond).toBeGreaterThan(0);
    expect(printed.decisionMicros).toMatchObject({
      p50: expect.any(Number),
      p99: expect.any(Number),
      max: expect.any(Number),
    });
  });

  it('says what is wrong with its input and exits with 2', async () => {
    const cases: [object, string][] = [
      [{ nodes: nodeFile }, 'give either --arrivals'],
      [{ nodes: join(dir, 'none.csv'), pods: podFile }, 'cannot read'],
      [{ nodes: nodeFile, pods: podFile, policy: 'best' }, 'unknown policy "best"'],
      [{ nodes: podFile, pods: podFile }, 'column sn is missing'],
      [{ nodes: nodeFile, pods: podFile, load: 0 }, '--load'],
    ];
    for (const [options, message] of cases) {
      const errors: string[] = [];
      expect(await simCommand({ ...(options as { nodes: string }), err: (l) => errors.push(l) })).toBe(2);
      expect(errors.join()).toContain(message);
    }
  });

  it('reads repeated alternatives once and nodes without devices', () => {
    const [pod] = readPods('name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\np,1,1,1,500,B|A|B\n');
    expect(pod!.models).toEqual(['A', 'B']);
    expect(readNodes('sn,cpu_milli,memory_mib,gpu,model\nn,1000,10,0,\n')[0]).toMatchObject({
      gpus: 0,
      model: '',
    });
  });

  it('draws the same plot for the same run', async () => {
    const draw = async (name: string) => {
      await simCommand({
        nodes: nodeFile,
        pods: podFile,
        policy: 'bestfit',
        plot: join(dir, name),
        out: () => {},
      });
      return readFileSync(join(dir, name), 'utf8');
    };
    const svg = await draw('a.svg');
    expect(svg).toMatch(/^<svg .*<\/svg>\n$/s);
    expect(await draw('b.svg')).toBe(svg);
  });
});
