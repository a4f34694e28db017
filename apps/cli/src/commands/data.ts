import { routes } from '@vgpu/api';
import type { Command } from 'commander';
import { connect } from '../context/connection.ts';
import { ensureServer } from '../context/ensure-server.ts';
import { assertFile, checkFile, importFile } from '../data/import-file.ts';
import { plain } from '../output/plain.ts';
import { note, print, printJson } from '../output/print.ts';
import { style } from '../output/style.ts';
import { renderTable } from '../output/table.ts';
import { ago, count } from '../output/words.ts';
import { cleaningText } from '../views/cleaning-report.ts';
import { datasetText } from '../views/dataset-text.ts';
import { cleanFlag } from './run-options.ts';

interface ImportFlags {
  name?: string;
  target?: string;
  clean?: string;
  json?: boolean;
}

const withImportOptions = (command: Command): Command =>
  command
    .option('-t, --target <column>', 'the column to predict: never imputed or clipped')
    .option('--clean <json>', 'cleaning options as JSON, or @FILE');

function defineAdd(command: Command): void {
  withImportOptions(command.command('add'))
    .description('Import a file: clean it and keep it as an immutable version.')
    .argument('<file>')
    .option('-n, --name <name>', 'name of the dataset (default: the file’s)')
    .action(async (path: string, flags: ImportFlags) => {
      const clean = cleanFlag(flags.clean, 'data add');
      assertFile(path);
      const { client } = await ensureServer();
      const imported = await importFile(client, { ...flags, path, clean });
      if (flags.json) return printJson(imported);
      print(cleaningText(imported.report));
      const verb = imported.existed ? 'was there already as' : 'is';
      print(`\n${style.bold(plain(imported.name))} ${verb} version ${imported.version.slice(0, 12)}`);
    });
}

function defineCheck(command: Command): void {
  withImportOptions(command.command('check'))
    .description('Say what cleaning would do to a file, without keeping anything.')
    .argument('<file>')
    .action(async (path: string, flags: ImportFlags) => {
      const clean = cleanFlag(flags.clean, 'data check');
      assertFile(path);
      const { client } = await ensureServer();
      const report = await checkFile(client, { path, target: flags.target, clean });
      if (flags.json) printJson(report);
      else print(cleaningText(report));
    });
}

function defineList(command: Command): void {
  command
    .command('ls')
    .description('List datasets.')
    .action(async (flags: { json?: boolean }) => {
      const { items } = await connect().client.call(routes.datasets.list, { query: { limit: 1000 } });
      if (flags.json) return printJson(items);
      if (items.length === 0) return note(style.dim('no datasets yet: vgpu data add FILE'));
      const columns = [
        { title: 'dataset', shrinks: true },
        { title: 'versions', align: 'right' as const },
        { title: 'rows', align: 'right' as const },
        { title: 'columns', align: 'right' as const },
        { title: 'target' },
        { title: 'added', paint: style.dim },
      ];
      const rows = items.map(({ name, versions, latest }) => [
        name,
        versions.length,
        latest?.rows,
        latest?.columns,
        latest?.target,
        ago(latest?.createdAt),
      ]);
      print(renderTable(columns, rows));
    });
}

function defineShow(command: Command): void {
  command
    .command('show')
    .description('Show a dataset: its versions, the cleaning report of one, and its first rows.')
    .argument('<dataset>', 'name, name@version, or id')
    .option('--rows <n>', 'rows to show', '5')
    .action(async (name: string, flags: { rows: string; json?: boolean }) => {
      const { client } = connect();
      const params = { dataset: name };
      const dataset = await client.call(routes.datasets.get, { params });
      const report = await client.call(routes.datasets.report, { params });
      if (flags.json) return printJson({ ...dataset, report });
      const preview = await client.call(routes.datasets.preview, { params, query: { limit: flags.rows } });
      print(datasetText(dataset, report, preview));
    });
}

function defineRemove(command: Command): void {
  command
    .command('rm')
    .description('Delete datasets, or single versions of them.')
    .argument('<dataset...>', 'name, name@version, or id')
    .action(async (names: string[], flags: { json?: boolean }) => {
      const { client } = connect();
      for (const dataset of names) await client.call(routes.datasets.remove, { params: { dataset } });
      if (flags.json) printJson({ removed: names });
      else print(`${count(names.length, 'dataset')} deleted`);
    });
}

export function define(command: Command): void {
  defineAdd(command);
  defineCheck(command);
  defineList(command);
  defineShow(command);
  defineRemove(command);
}
