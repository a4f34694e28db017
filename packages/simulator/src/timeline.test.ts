import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { simCommand } from './sim-command.ts';
import { syntheticTrace } from './synthetic.ts';
import { replay } from './timeline.ts';
import { readWork, type Work } from './workload.ts';

const LIST = `name,submit_s,duration_s,cpu,memory_gib,gpus,gpu,queue,priority,checkpointable
a,0,100,1,1,1,1,red,0,no
b,10,100,1,1,1,1,blue,0,no
c,20,50,1,1,1,0.5,blue,0,yes
`;

const nodes = [{ sn: 'n', cpuMilli: 8000, memoryBytes: 64 * 1024 ** 3, gpus: 1, model: 'A100' }];

function manyTasks(count: number): Work[] {
  const { pods } = syntheticTrace({ nodes: 1, pods: count, seed: 3 });
  return pods.map((p, i) => ({
    task: {
      taskId: p.name,
      jobId: p.name,
      project: i % 2 ? 'red' : 'blue',
      submittedAt: i * 500,
      cpuMilli: p.cpuMilli,
      memoryBytes: p.memoryBytes,
      gpuMilli: p.gpuMilli,
      gpuCount: p.gpuCount,
      models: p.models,
      expectedDurationMs: 20_000,
    },
    submitAt: i * 500,
    durationMs: 20_000,
    checkpointable: i % 3 === 0,
  }));
}

describe('replay', () => {
  it('runs one after the other on one device, with exact times', () => {
    const r = replay(nodes, readWork(LIST), { policy: 'fgd' });
    expect(r).toMatchObject({ tasks: 3, completed: 3, stranded: 0, preemptions: 0, failures: 0 });
    // a runs 0–100, b 100–200, c (half a device) 200–250.
    expect(r.wait).toMatchObject({ max: 180, mean: (0 + 90 + 180) / 3 });
    expect(r.completion).toMatchObject({ max: 230 });
    expect(r.allocation).toBeCloseTo((100 * (100 + 100 + 25)) / 250, 5);
    expect(r.energyKwh).toBeCloseTo((60 * 250 + 240 * 225) / 3.6e6, 9);
  });

  it('gives the same result for the same seed', () => {
    const { nodes: many } = syntheticTrace({ nodes: 12, pods: 1, seed: 5 });
    const options = {
      policy: 'default',
      seed: 4,
      mtbfMs: 60_000,
      repairMs: 10_000,
      disruptionBudget: 2,
    } as const;
    const run = () => replay(many, manyTasks(150), options);
    expect(run()).toEqual(run());
  });

  it('completes all that can run, whatever fails', () => {
    const { nodes: many } = syntheticTrace({ nodes: 30, pods: 1, seed: 5 });
    const r = replay(many, manyTasks(150), { seed: 1, mtbfMs: 200_000, repairMs: 5000, disruptionBudget: 2 });
    expect(r.failures).toBeGreaterThan(0);
    expect(r.lostGpuHours).toBeGreaterThan(0);
    expect(r.completed).toBe(150);
  });

  it('ends when what waits can never run', () => {
    const impossible = readWork('name,submit_s,duration_s,gpus\nx,0,10,4\n');
    const r = replay(nodes, impossible, { mtbfMs: 50_000 });
    expect(r).toMatchObject({ completed: 0, stranded: 1 });
  });

  it('shares between queues by weight', () => {
    const both = Array.from(
      { length: 40 },
      (_, i) => `t${i},${i / 10},10,1,1,1,1,${i % 2 ? 'red' : 'blue'},0,no`,
    ).join('\n');
    const work = readWork(`${LIST.split('\n')[0]}\n${both}\n`);
    const four = [{ ...nodes[0]!, gpus: 4 }];
    const even = replay(four, work);
    const skewed = replay(four, work, { queues: [{ id: 'red', overQuotaWeight: 9 }, { id: 'blue' }] });
    expect(even.fairness).toBeGreaterThan(0.95);
    expect(skewed.fairness).toBeLessThan(even.fairness);
  });
});

describe('simCommand --timeline', () => {
  const dir = mkdtempSync(join(tmpdir(), 'timeline-'));
  afterAll(() => rmSync(dir, { recursive: true }));
  const path = (name: string, text: string) => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const nodeFile = path('nodes.csv', 'sn,cpu_milli,memory_mib,gpu,model\nn,8000,65536,1,A100\n');

  it('replays the generic list, and openb lists that have times', async () => {
    const openb = `name,cpu_milli,memory_mib,num_gpu,gpu_milli,qos,creation_time,deletion_time
p,1000,1024,1,1000,LS,100,160
`;
    for (const [file, tasks] of [
      [path('work.csv', LIST), 3],
      [path('openb.csv', openb), 1],
    ] as const) {
      const lines: string[] = [];
      const plot = join(dir, `${tasks}.html`);
      const out = (line: string) => lines.push(line);
      expect(await simCommand({ nodes: nodeFile, pods: file, timeline: true, json: true, plot, out })).toBe(
        0,
      );
      expect(JSON.parse(lines.join('\n'))).toMatchObject({ tasks, completed: tasks, stranded: 0 });
      expect(JSON.parse(lines.join('\n')).energyKwh).toBeGreaterThan(0);
      const html = readFileSync(plot, 'utf8');
      expect(html.match(/<svg /g)).toHaveLength(2);
      expect(html).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
    }
  });

  it('exits with 2 and a reason for input that it cannot use', async () => {
    const errors: string[] = [];
    const options = { nodes: nodeFile, timeline: true, err: (line: string) => errors.push(line) };
    expect(await simCommand(options)).toBe(2);
    expect(await simCommand({ ...options, pods: join(dir, 'none.csv') })).toBe(2);
    expect(await simCommand({ ...options, pods: path('bad.csv', 'name,submit_s\n') })).toBe(2);
    expect(errors.join('\n')).toMatch(/needs --nodes and --pods[\s\S]*none\.csv[\s\S]*duration_s is missing/);
  });
});

describe('readWork', () => {
  it('names the line and column of what it cannot read', () => {
    expect(() => readWork('name,submit_s\nx,0\n', 'f.csv')).toThrow('f.csv:1: column duration_s is missing');
    expect(() => readWork('name,submit_s,duration_s\nx,0,ten\n', 'f.csv')).toThrow(
      'f.csv:2: duration_s is not a number',
    );
    expect(() => readWork('name,submit_s,duration_s,colour\n', 'f.csv')).toThrow(
      'column colour is not known',
    );
  });
});
