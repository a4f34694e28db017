#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { EXIT_USAGE, simCommand } from './sim-command.ts';

const USAGE = `usage: sim --nodes NODES.csv (--arrivals PODS.csv | --pods PODS.csv [--load 1.3]) [--policy NAME]
  [--seed N] [--typical TRACE.csv] [--placements OUT.jsonl] [--plot OUT.svg|OUT.html] [--json]
  [--timeline [--mtbf HOURS] [--repair HOURS] [--queues FILE.json] [--disruptions N]]`;

function amount(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const n = Number(value);
  if (!Number.isFinite(n)) throw new TypeError(`--${name} is not a number: "${value}"`);
  return n;
}

async function main(): Promise<number> {
  try {
    const { values: v } = parseArgs({
      options: {
        nodes: { type: 'string' },
        arrivals: { type: 'string' },
        pods: { type: 'string' },
        load: { type: 'string' },
        policy: { type: 'string' },
        seed: { type: 'string' },
        typical: { type: 'string' },
        placements: { type: 'string' },
        plot: { type: 'string' },
        json: { type: 'boolean' },
        timeline: { type: 'boolean' },
        mtbf: { type: 'string' },
        repair: { type: 'string' },
        queues: { type: 'string' },
        disruptions: { type: 'string' },
      },
    });
    return await simCommand({
      ...v,
      nodes: v.nodes ?? '',
      load: amount('load', v.load),
      seed: amount('seed', v.seed),
      mtbf: amount('mtbf', v.mtbf),
      repair: amount('repair', v.repair),
      disruptions: amount('disruptions', v.disruptions),
    });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    process.stderr.write(`${error.message}\n${USAGE}\n`);
    return EXIT_USAGE;
  }
}

process.exitCode = await main();
