import { type Amounts, type Project, routes } from '@vgpu/api';
import { formatBytes, parseBytes, parseMilli, VgpuError } from '@vgpu/core';
import type { Command } from 'commander';
import { connect } from '../context/connection.ts';
import { print, printJson } from '../output/print.ts';
import { renderTable } from '../output/table.ts';

type BoundFlags = Record<string, string | undefined>;

/** `--quota-gpu 2`, `--limit-memory 8GiB`; `none` takes the bound away. */
function bounds(flags: BoundFlags, kind: 'quota' | 'limit'): Partial<Amounts> | undefined {
  const read = (what: string, parse: (text: string) => number) => {
    const text = flags[kind + what];
    if (text === undefined) return undefined;
    if (text === 'none') return null;
    try {
      return parse(text);
    } catch (error) {
      const flag = `--${kind}-${what.toLowerCase()}`;
      throw new VgpuError('BAD_FLAG', { flag, problem: (error as Error).message, command: 'project set' });
    }
  };
  const found = {
    gpu: read('Gpu', (text) => parseMilli(text, 'gpu')),
    cpu: read('Cpu', (text) => parseMilli(text, 'cpu')),
    memory: read('Memory', parseBytes),
  };
  const named = Object.entries(found).filter(([, value]) => value !== undefined);
  return named.length === 0 ? undefined : (Object.fromEntries(named) as Partial<Amounts>);
}

const inWords = ({ gpu, cpu, memory }: Amounts): string =>
  [
    gpu === null ? '' : `${gpu / 1000} GPU`,
    cpu === null ? '' : `${cpu / 1000} CPU`,
    memory === null ? '' : formatBytes(memory),
  ]
    .filter(Boolean)
    .join(', ') || '–';

function table(items: readonly Project[]): string {
  const columns = ['project', 'under', 'quota', 'limit', 'weight', 'egress', 'uses', 'running', 'waiting'];
  const rows = items.map((one) => [
    one.name,
    one.parent ?? '–',
    inWords(one.quota),
    inWords(one.limit),
    one.overQuotaWeight,
    one.allowEgress ? 'yes' : 'no',
    inWords(one.used),
    one.running,
    one.waiting,
  ]);
  return renderTable(
    columns.map((title) => ({
      title,
      shrinks: title === 'quota' || title === 'limit',
      align: ['weight', 'running', 'waiting'].includes(title) ? ('right' as const) : undefined,
    })),
    rows,
  );
}

function defineSet(command: Command): void {
  const set = command
    .command('set')
    .description('Create a project, or change its quota, limit and rights. What is not named stays.')
    .argument('<project>', 'its name');
  for (const kind of ['quota', 'limit'] as const) {
    const what = kind === 'quota' ? 'deserves, and lends out while idle' : 'may hold at the very most';
    set.option(`--${kind}-gpu <gpus>`, `GPUs that it ${what}; none: no bound`);
    set.option(`--${kind}-cpu <cores>`, `cores that it ${what}`);
    set.option(`--${kind}-memory <size>`, `memory that it ${what}`);
  }
  set
    .option('--weight <number>', 'its share of what others leave idle; 0 never borrows')
    .option('--parent <project>', 'the project above it; none: directly under the machine')
    .option('--allow-egress', 'let its jobs reach the network (network: egress)')
    .option('--no-allow-egress', 'forbid that')
    .action(async (project: string, flags: BoundFlags & { allowEgress?: boolean; json?: boolean }) => {
      const weight = flags.weight === undefined ? undefined : Number(flags.weight);
      if (weight !== undefined && !(weight >= 0)) {
        const problem = `not a number from 0: "${flags.weight}"`;
        throw new VgpuError('BAD_FLAG', { flag: '--weight', problem, command: 'project set' });
      }
      const body = {
        quota: bounds(flags, 'quota'),
        limit: bounds(flags, 'limit'),
        overQuotaWeight: weight,
        parent: flags.parent === 'none' ? null : flags.parent,
        allowEgress: flags.allowEgress,
      };
      const changed = await connect().client.call(routes.projects.set, { params: { project }, body });
      if (flags.json) return printJson(changed);
      print(table([changed]));
    });
}

function defineList(command: Command): void {
  command
    .command('ls')
    .description('List projects with their quotas and what they use.')
    .action(async (flags: { json?: boolean }) => {
      const { items } = await connect().client.call(routes.projects.list, {});
      if (flags.json) return printJson(items);
      print(table(items));
    });
}

export function define(command: Command): void {
  defineList(command);
  defineSet(command);
}
