import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { routes, type VgpuClient } from '@vgpu/api';
import { type DataInput, VgpuError } from '@vgpu/core';
import { importFile } from '../data/import-file.ts';
import { note } from '../output/print.ts';
import { stderrStyle as style } from '../output/style.ts';
import { count } from '../output/words.ts';
import { checkDataFile, pathHere } from './check-here.ts';

async function isDataset(client: VgpuClient, name: string): Promise<boolean> {
  try {
    await client.call(routes.datasets.get, { params: { dataset: name } });
    return true;
  } catch (error) {
    if (error instanceof VgpuError && error.code === 'NOT_FOUND') return false;
    throw error;
  }
}

/**
 * Turns the inputs of a job that are files here into datasets of the server, importing each.
 * What is no file but the name of a dataset is taken as that.
 * @param folder that relative paths start from.
 * @throws VgpuError `FILE_NOT_FOUND` for what is neither.
 */
export async function resolveData(
  client: VgpuClient,
  inputs: readonly DataInput[],
  folder: string,
): Promise<DataInput[]> {
  const resolved: DataInput[] = [];
  for (const input of inputs) {
    const { path, ...rest } = input;
    if (path === undefined) {
      resolved.push(input);
      continue;
    }
    const file = pathHere(path, folder);
    if (!existsSync(file)) {
      checkDataFile(path, folder);
      if (!(await isDataset(client, path))) {
        throw new VgpuError('FILE_NOT_FOUND', { path, cwd: folder });
      }
      resolved.push({ ...rest, dataset: path });
      continue;
    }
    const imported = await importFile(client, {
      path: file,
      name: input.name,
      target: input.target,
      clean: input.clean,
    });
    if (!imported.existed) {
      const { rows, rejected } = imported.report;
      const lost = rejected > 0 ? `, ${rejected} rejected` : '';
      note(style.dim(`imported ${basename(file)}: ${count(rows, 'row')}${lost} → ${imported.name}`));
    }
    resolved.push({ ...rest, clean: undefined, dataset: `${imported.name}@${imported.version}` });
  }
  return resolved;
}
