import { routes } from '@vgpu/api';
import { formatBytes, formatMilli, VgpuError } from '@vgpu/core';
import type { Command } from 'commander';
import { connect } from '../context/connection.ts';
import { liveScreen } from '../output/live-screen.ts';
import { note, print, printJson } from '../output/print.ts';
import { style } from '../output/style.ts';
import { renderTable } from '../output/table.ts';
import { acceleratorTable } from '../views/topology-text.ts';

const list = async () => connect().client.call(routes.accelerators.list, {});

function defineList(command: Command): void {
  command
    .command('ls')
    .description('List accelerators.')
    .action(async (flags: { json?: boolean }) => {
      const { items, advice } = await list();
      if (flags.json) return printJson(items);
      if (items.length > 0) print(acceleratorTable(items));
      else note(style.dim('no accelerators were found'));
      if (advice) note(style.dim(advice));
    });
}

function slicesTable(items: Awaited<ReturnType<typeof list>>['items']): string {
  const slices = items.flatMap((one) =>
    one.slices.map((slice) => ({ ...slice, model: `${one.index} ${one.model}` })),
  );
  if (slices.length === 0) return style.dim('no slices in use');
  const columns = [
    { title: 'accelerator', shrinks: true },
    { title: 'worker' },
    { title: 'job', shrinks: true },
    { title: 'mode' },
    { title: 'share', align: 'right' as const },
    { title: 'using', align: 'right' as const },
    { title: 'memory', align: 'right' as const },
    { title: 'holding', align: 'right' as const },
  ];
  const rows = slices.map((slice) => [
    slice.model,
    slice.worker,
    slice.job,
    slice.mode,
    formatMilli(slice.milli),
    slice.usedMilli === null ? '–' : formatMilli(Math.round(slice.usedMilli)),
    formatBytes(slice.bytes),
    slice.usedBytes === null ? '–' : formatBytes(slice.usedBytes),
  ]);
  return renderTable(columns, rows);
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

function number(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value)) {
    throw new VgpuError('BAD_FLAG', { flag, problem: `"${text}" is no number`, command: 'gpu pool' });
  }
  return value;
}

interface PoolFlags {
  split?: string;
  coreScaling?: string;
  memoryScaling?: string;
  accelerators?: string;
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
      ];
      const rows = items.map((one) => [
        one.name,
        one.accelerators.length,
        one.deviceSplitCount,
        one.deviceCoreScaling,
        one.deviceMemoryScaling,
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
    .option('--accelerators <uuids>', 'its accelerators by UUID, comma-separated')
    .action(async (name: string, flags: PoolFlags) => {
      const body = {
        deviceSplitCount: number('--split', flags.split),
        deviceCoreScaling: number('--core-scaling', flags.coreScaling),
        deviceMemoryScaling: number('--memory-scaling', flags.memoryScaling),
        accelerators: flags.accelerators?.split(',').filter(Boolean),
      };
      const changed = await connect().client.call(routes.accelerators.setPool, {
        params: { pool: name },
        body,
      });
      if (flags.json) printJson(changed);
      else print(`pool ${changed.name}: ${changed.accelerators.length} accelerators`);
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
  definePool(command);
}
