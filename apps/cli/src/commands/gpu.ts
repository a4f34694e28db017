import { type Accelerator, routes } from '@vgpu/api';
import { parseDuration, VgpuError } from '@vgpu/core';
import type { Command } from 'commander';
import { connect } from '../context/connection.ts';
import { liveScreen } from '../output/live-screen.ts';
import { note, print, printJson } from '../output/print.ts';
import { style } from '../output/style.ts';
import { renderTable } from '../output/table.ts';
import { count } from '../output/words.ts';
import { slicesTable } from '../views/slices-text.ts';
import { acceleratorTable } from '../views/topology-text.ts';

const list = async () => connect().client.call(routes.accelerators.list, {});

/** Why accelerators take no work, and how they take it again; empty where all do. */
const troubles = (items: readonly Accelerator[]): string =>
  items
    .filter((one) => one.health !== 'healthy')
    .map(
      (one) =>
        `\n${one.index}: ${one.healthReason ?? one.health}; \`vgpu gpu uncordon ${one.index}\` takes it back in`,
    )
    .join('');

function defineList(command: Command): void {
  command
    .command('ls')
    .description('List accelerators.')
    .action(async (flags: { json?: boolean }) => {
      const { items, advice } = await list();
      if (flags.json) return printJson(items);
      if (items.length > 0) print(`${acceleratorTable(items, { uuid: true })}${troubles(items)}`);
      else note(style.dim('no accelerators were found'));
      if (advice) note(style.dim(advice));
    });
}

function defineTop(command: Command): void {
  command
    .command('top')
    .description('Watch accelerators and their slices live.')
    .option('--once', 'print it once')
    .action(async (flags: { once?: boolean; json?: boolean }) => {
      if (flags.json) return printJson(await list());
      const draw = async (): Promise<string> => {
        const { items } = await list();
        return items.length > 0
          ? `${acceleratorTable(items)}\n\n${slicesTable(items)}`
          : 'no accelerators were found';
      };
      if (flags.once) print(await draw());
      else await liveScreen(draw);
    });
}

/** UUID of an accelerator that was named by it, by a beginning of it, or by its number in `vgpu gpu ls`. */
function uuidOf(items: readonly Accelerator[], name: string): string {
  const exact = items.filter((one) => one.uuid === name || String(one.index) === name);
  const found = exact.length > 0 ? exact : items.filter((one) => one.uuid.startsWith(name));
  if (found.length === 1) return found[0]!.uuid;
  throw new VgpuError('NOT_FOUND', { what: 'accelerator', id: name, list: 'gpu ls' });
}

const find = async (name: string): Promise<string> => uuidOf((await list()).items, name);

function defineCordon(command: Command): void {
  for (const { verb, drain, description } of [
    { verb: 'cordon', drain: false, description: 'Give an accelerator no new work.' },
    { verb: 'drain', drain: true, description: 'The same, and send what runs on it back to the queue.' },
  ]) {
    const one = command
      .command(verb)
      .description(description)
      .argument('<accelerator>', 'UUID, a beginning of it, or number in `vgpu gpu ls`')
      .option('--reason <text>', 'shown beside it');
    if (drain)
      one.option('--grace <duration>', 'ask tasks to end (SIGTERM) and give them so long, e.g. 60s', '0s');
    one.action(async (name: string, flags: { reason?: string; grace?: string; json?: boolean }) => {
      const body = {
        drain,
        ...(flags.grace ? { grace: parseDuration(flags.grace) } : {}),
        ...(flags.reason ? { reason: flags.reason } : {}),
      };
      const changed = await connect().client.call(routes.accelerators.cordon, {
        params: { uuid: await find(name) },
        body,
      });
      if (flags.json) printJson(changed);
      else print(`${changed.uuid} takes no new work: ${changed.healthReason}`);
    });
  }
  command
    .command('uncordon')
    .description('Give an accelerator work again, after a fault too.')
    .argument('<accelerator>', 'UUID, a beginning of it, or number in `vgpu gpu ls`')
    .action(async (name: string, flags: { json?: boolean }) => {
      const changed = await connect().client.call(routes.accelerators.uncordon, {
        params: { uuid: await find(name) },
      });
      if (flags.json) printJson(changed);
      else print(`${changed.uuid} takes work again`);
    });
}

function number(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value)) {
    throw new VgpuError('BAD_FLAG', { flag, problem: `"${text}" is no number`, command: 'gpu pool' });
  }
  return value;
}

function choice<T extends string>(
  flag: string,
  text: string | undefined,
  words: readonly T[],
): T | undefined {
  if (text === undefined || (words as readonly string[]).includes(text)) return text as T | undefined;
  const problem = `"${text}" is none of ${words.join(', ')}`;
  throw new VgpuError('BAD_FLAG', { flag, problem, command: 'gpu pool' });
}

interface PoolFlags {
  split?: string;
  coreScaling?: string;
  memoryScaling?: string;
  accelerators?: string;
  mps?: string;
  mpsProjects?: string;
  json?: boolean;
}

function definePool(command: Command): void {
  const pool = command.command('pool').description('Show pools, or create and change them.');
  pool
    .command('ls')
    .description('List pools.')
    .action(async (flags: { json?: boolean }) => {
      const { items } = await connect().client.call(routes.accelerators.pools, {});
      if (flags.json) return printJson(items);
      const columns = [
        'pool',
        'accelerators',
        'deviceSplitCount',
        'deviceCoreScaling',
        'deviceMemoryScaling',
        'MPS',
      ];
      const rows = items.map((one) => [
        one.name,
        one.accelerators.length,
        one.deviceSplitCount,
        one.deviceCoreScaling,
        one.deviceMemoryScaling,
        one.mps === 'off' ? 'off' : `${one.mps}${one.mpsAcrossProjects ? ', projects share' : ''}`,
      ]);
      print(
        renderTable(
          columns.map((title, i) => ({ title, align: i > 0 ? ('right' as const) : undefined })),
          rows,
        ),
      );
    });
  pool
    .command('set')
    .description('Create a pool or change its sharing settings.')
    .argument('<name>')
    .option('--split <n>', 'deviceSplitCount: slices that one accelerator carries at most')
    .option('--core-scaling <x>', 'deviceCoreScaling: compute that is handed out for each that there is')
    .option('--memory-scaling <x>', 'deviceMemoryScaling: the same for memory')
    .option('--mps <mode>', 'run slices under NVIDIA MPS: off, auto (where it can be had) or required')
    .option('--mps-projects <rule>', 'under one MPS server: one project at a time (separate), or all (share)')
    .option(
      '--accelerators <names>',
      'its accelerators by number or UUID as in `vgpu gpu ls`, comma-separated',
    )
    .action(async (name: string, flags: PoolFlags) => {
      const named = flags.accelerators?.split(',').filter(Boolean);
      const known = named?.length ? (await list()).items : [];
      const across = choice('--mps-projects', flags.mpsProjects, ['separate', 'share']);
      const body = {
        deviceSplitCount: number('--split', flags.split),
        deviceCoreScaling: number('--core-scaling', flags.coreScaling),
        deviceMemoryScaling: number('--memory-scaling', flags.memoryScaling),
        mps: choice('--mps', flags.mps, ['off', 'auto', 'required']),
        mpsAcrossProjects: across === undefined ? undefined : across === 'share',
        accelerators: named?.map((one) => uuidOf(known, one.trim())),
      };
      const changed = await connect().client.call(routes.accelerators.setPool, {
        params: { pool: name },
        body,
      });
      if (flags.json) printJson(changed);
      else print(`pool ${changed.name}: ${count(changed.accelerators.length, 'accelerator')}`);
    });
  pool
    .command('rm')
    .description('Delete a pool; its accelerators go back to the default one.')
    .argument('<name>')
    .action(async (name: string, flags: { json?: boolean }) => {
      await connect().client.call(routes.accelerators.removePool, { params: { pool: name } });
      if (flags.json) printJson({ removed: name });
      else print(`pool ${name} deleted`);
    });
}

export function define(command: Command): void {
  defineList(command);
  defineTop(command);
  defineCordon(command);
  definePool(command);
}
