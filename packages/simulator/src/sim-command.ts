import { readFile as read, writeFile } from 'node:fs/promises';
import { RANKINGS, type RankingName } from '@vgpu/scheduler';
import { inflate } from './arrivals.ts';
import { readNodes, readPods, TraceError, type TracePod } from './openb.ts';
import { saturationPage, saturationSvg } from './plots.ts';
import { type SaturationResult, saturate } from './saturation.ts';
import { saturationTable } from './tables.ts';
import { runTimeline, type TimelineFlags } from './timeline-command.ts';

/** What `vgpu sim` takes; paths as given by the user. */
export interface SimOptions extends TimelineFlags {
  /** Node list (openb columns). */
  nodes: string;
  /** Pods in their order of arrival. Either this or `pods`. */
  arrivals?: string;
  /** Pods from which the arrival order is built. */
  pods?: string;
  /** With `pods`: GPU demand as a multiple of capacity. Default 1.3. */
  load?: number;
  /** Default `default`. */
  policy?: string;
  /** Default 0. */
  seed?: number;
  /** Trace that typical work is taken from. Default: the pods file. */
  typical?: string;
  /** Writes one JSON object a line: pod, node, gpus. */
  placements?: string;
  /** Writes a plot; the ending decides: .svg or .html. */
  plot?: string;
  json?: boolean;
  /** Where lines go. Default: standard output and standard error. */
  out?: (line: string) => void;
  err?: (line: string) => void;
}

/** Wrong usage or unreadable input. */
export const EXIT_USAGE = 2;

class UsageError extends Error {}

async function readText(path: string): Promise<string> {
  try {
    return await read(path, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${(error as Error).message}`);
  }
}

/**
 * Replays a trace through the scheduler.
 * @returns the exit code: 0, or 2 with a line on `err` that says what was wrong and what to do
 */
export async function simCommand(options: SimOptions): Promise<number> {
  const out = options.out ?? ((line) => process.stdout.write(`${line}\n`));
  const err = options.err ?? ((line) => process.stderr.write(`${line}\n`));
  try {
    const policy = policyOf(options.policy);
    if (options.timeline) {
      if (!options.nodes || !(options.arrivals ?? options.pods))
        throw new UsageError('--timeline needs --nodes and --pods (a list with times)');
      return await runTimeline(options, policy, out);
    }
    const { result } = await runSaturation(options, policy);
    if (options.placements)
      await writeFile(options.placements, result.placements.map((p) => `${JSON.stringify(p)}\n`).join(''));
    if (options.plot)
      await writeFile(
        options.plot,
        options.plot.endsWith('.svg') ? saturationSvg([result]) : saturationPage([result]),
      );
    const { placements: _placements, curve: _curve, ...summary } = result;
    out(options.json ? JSON.stringify(summary) : saturationTable(summary));
    return 0;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const expected =
      error instanceof UsageError ||
      error instanceof TraceError ||
      error instanceof SyntaxError ||
      (error as { code?: string }).code !== undefined;
    if (!expected) throw error;
    err(`vgpu sim: ${error.message}`);
    return EXIT_USAGE;
  }
}

function policyOf(name = 'default'): RankingName {
  const known = RANKINGS.find((r) => r === name);
  if (!known) throw new UsageError(`unknown policy "${name}"; use one of ${RANKINGS.join(', ')}`);
  return known;
}

async function runSaturation(
  options: SimOptions,
  policy: RankingName,
): Promise<{ result: SaturationResult; arrivals: readonly TracePod[] }> {
  const seed = options.seed ?? 0;
  if (!Number.isInteger(seed)) throw new UsageError('--seed has to be a whole number');
  if (!options.nodes) throw new UsageError('--nodes is missing: give a node list (CSV)');
  if (Boolean(options.arrivals) === Boolean(options.pods))
    throw new UsageError('give either --arrivals (a file in order of arrival) or --pods (to build an order)');
  const nodes = readNodes(await readText(options.nodes), options.nodes);
  const file = (options.arrivals ?? options.pods)!;
  const pods = readPods(await readText(file), file);
  if (nodes.length === 0) throw new UsageError(`${options.nodes} holds no nodes`);
  if (pods.length === 0) throw new UsageError(`${file} holds no pods`);
  let arrivals = pods;
  if (options.pods) {
    const load = options.load ?? 1.3;
    if (!(load > 0)) throw new UsageError('--load has to be above 0, e.g. 1.3');
    arrivals = inflate(pods, nodes, load, seed);
  }
  const typical = options.typical ? readPods(await readText(options.typical), options.typical) : pods;
  return { result: saturate(nodes, arrivals, { policy, seed, typical }), arrivals };
}
