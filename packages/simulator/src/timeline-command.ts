import { readFile, writeFile } from 'node:fs/promises';
import type { QueueView, RankingName } from '@vgpu/scheduler';
import { readNodes, readPods } from './openb.ts';
import { lineChart, page } from './plots.ts';
import { replay, type TimelineResult } from './timeline.ts';
import { isGenericList, readWork, workFromPods } from './workload.ts';

export interface TimelineFlags {
  /** Replay arrivals and departures by the times in the list instead of filling the cluster. */
  timeline?: boolean;
  /** Mean hours between failures of one node. Default: no failures. */
  mtbf?: number;
  /** Mean hours until a failed node is back. Default 1. */
  repair?: number;
  /** Queue tree as JSON: an array of {id, parent, quota, limit, overQuotaWeight}. */
  queues?: string;
  /** Running tasks that one plan may move or stop. Default 0. */
  disruptions?: number;
}

export interface TimelineInput extends TimelineFlags {
  readonly nodes: string;
  readonly arrivals?: string;
  readonly pods?: string;
  readonly seed?: number;
  readonly plot?: string;
  readonly json?: boolean;
}

const HOUR = 3_600_000;

/** Replays a list with times. @returns the exit code, always 0; unreadable input throws */
export async function runTimeline(
  input: TimelineInput,
  policy: RankingName,
  out: (line: string) => void,
): Promise<number> {
  const file = (input.arrivals ?? input.pods)!;
  const nodes = readNodes(await readFile(input.nodes, 'utf8'), input.nodes);
  const text = await readFile(file, 'utf8');
  const work = isGenericList(text) ? readWork(text, file) : workFromPods(readPods(text, file));
  const queues = input.queues ? (JSON.parse(await readFile(input.queues, 'utf8')) as QueueView[]) : undefined;
  const result = replay(nodes, work, {
    policy,
    seed: input.seed ?? 0,
    queues,
    disruptionBudget: input.disruptions,
    mtbfMs: input.mtbf === undefined ? undefined : input.mtbf * HOUR,
    repairMs: input.repair === undefined ? undefined : input.repair * HOUR,
  });
  if (input.plot) {
    const charts = timelineCharts(result);
    await writeFile(
      input.plot,
      input.plot.endsWith('.svg') ? charts[0]! : page('vgpu sim: timeline', charts, rowsOf(result)),
    );
  }
  const { allocationCurve: _a, waitingCurve: _w, ...summary } = result;
  out(
    input.json
      ? JSON.stringify(summary)
      : rowsOf(result)
          .map(([k, v]) => `${k!.padEnd(28)} ${v}`)
          .join('\n'),
  );
  return 0;
}

function timelineCharts(r: TimelineResult): string[] {
  return [
    lineChart([{ name: r.policy, points: r.allocationCurve }], {
      title: 'GPU allocation over time',
      x: 'hours',
      y: 'allocated, % of capacity',
      from: 0,
    }),
    lineChart([{ name: r.policy, points: r.waitingCurve }], {
      title: 'Waiting tasks over time',
      x: 'hours',
      y: 'tasks',
      from: 0,
    }),
  ];
}

function rowsOf(r: TimelineResult): string[][] {
  const seconds = (s: TimelineResult['wait']) =>
    `mean ${s.mean.toFixed(1)} s, p50 ${s.p50.toFixed(1)}, p99 ${s.p99.toFixed(1)}, max ${s.max.toFixed(1)}`;
  return [
    ['policy, seed', `${r.policy}, ${r.seed}`],
    ['tasks completed, stranded', `${r.completed} of ${r.tasks}, ${r.stranded}`],
    ['GPU allocation', `${r.allocation.toFixed(2)} %`],
    ['wait', seconds(r.wait)],
    ['completion', seconds(r.completion)],
    ['fairness (Jain, by queue)', r.fairness.toFixed(4)],
    ['energy', `${r.energyKwh.toFixed(1)} kWh`],
    ['preemptions, migrations', `${r.preemptions}, ${r.migrations}`],
    ['failures, work lost', `${r.failures}, ${r.lostGpuHours.toFixed(1)} GPU-hours`],
  ];
}
