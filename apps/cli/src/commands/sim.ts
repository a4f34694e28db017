import { VgpuError } from '@vgpu/core';
import { simCommand } from '@vgpu/simulator';
import type { Command } from 'commander';
import { ExitWith } from '../exit-with.ts';

interface SimFlags {
  nodes: string;
  arrivals?: string;
  pods?: string;
  load?: string;
  policy?: string;
  seed?: string;
  typical?: string;
  placements?: string;
  plot?: string;
  timeline?: boolean;
  mtbf?: string;
  repair?: string;
  queues?: string;
  disruptions?: string;
  json?: boolean;
}

function amount(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isFinite(value)) return value;
  throw new VgpuError('BAD_FLAG', { flag, problem: `"${text}" is no number`, command: 'sim' });
}

export function define(command: Command): void {
  command
    .description(
      'Replay a trace through the scheduler with a virtual clock, and say how well it filled the cluster.',
    )
    .requiredOption('--nodes <csv>', 'node list (openb columns)')
    .option('--arrivals <csv>', 'pods, fed in the order of the file')
    .option('--pods <csv>', 'pods from which the order of arrival is built')
    .option('--load <x>', 'with --pods: GPU demand as a multiple of capacity (default: 1.3)')
    .option('--policy <name>', 'default, fgd, bestfit, packing or spread')
    .option('--seed <n>', 'seed of everything random (default: 0)')
    .option('--typical <csv>', 'trace from which typical work is taken (default: the pods)')
    .option('--placements <jsonl>', 'write one JSON object a line: pod, node, gpus')
    .option('--plot <file>', 'write a plot: .svg or .html')
    .option('--timeline', 'replay arrivals and departures by the times in the trace')
    .option('--mtbf <hours>', 'with --timeline: mean time between failures of a node')
    .option('--repair <hours>', 'with --timeline: mean time until a failed node is back')
    .option('--queues <json>', 'with --timeline: queue tree')
    .option('--disruptions <n>', 'with --timeline: most tasks stopped or moved in one plan')
    .action(async (flags: SimFlags) => {
      const code = await simCommand({
        ...flags,
        load: amount('--load', flags.load),
        seed: amount('--seed', flags.seed),
        mtbf: amount('--mtbf', flags.mtbf),
        repair: amount('--repair', flags.repair),
        disruptions: amount('--disruptions', flags.disruptions),
      });
      if (code !== 0) throw new ExitWith(code);
    });
}
