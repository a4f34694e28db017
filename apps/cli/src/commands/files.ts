import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { routes, type Task } from '@vgpu/api';
import { formatBytes, VgpuError } from '@vgpu/core';
import type { Command } from 'commander';
import { connect, type Session } from '../context/connection.ts';
import { plain } from '../output/plain.ts';
import { note, print, printJson } from '../output/print.ts';
import { style } from '../output/style.ts';
import { renderTable } from '../output/table.ts';
import { count } from '../output/words.ts';
import { findJob } from '../submit/after-submit.ts';
import { taskOf } from '../views/find-task.ts';
import { jobArgument } from './show.ts';

interface Kept {
  task: Task;
  path: string;
  bytes: number;
}

/**
 * Where a file of a task goes below a folder. Names come from a script and are not trusted.
 * @throws VgpuError `BAD_NAME` for one that would leave the folder.
 */
export function placeBelow(folder: string, task: string, path: string): string {
  const top = resolve(folder, task);
  const place = resolve(top, path);
  const inside = relative(top, place);
  if (
    relative(resolve(folder), top).startsWith('..') ||
    inside === '' ||
    inside.startsWith('..') ||
    path.includes('\0')
  ) {
    throw new VgpuError('BAD_NAME', { what: 'file', name: plain(path) });
  }
  return place;
}

async function save({ client }: Session, files: readonly Kept[], folder: string): Promise<void> {
  for (const { task, path } of files) {
    const place = placeBelow(folder, task.name, path);
    const response = await client.call(routes.tasks.file, { params: { task: task.id, '*': path } });
    mkdirSync(dirname(place), { recursive: true });
    await pipeline(Readable.fromWeb(response.body as never), createWriteStream(place));
  }
}

export function define(command: Command): void {
  command
    .argument('[job]', jobArgument, 'latest')
    .option('--task <task>', 'only this task')
    .option('--save <dir>', 'save them below a folder, in one folder for each task')
    .action(async (id: string, flags: { task?: string; save?: string; json?: boolean }) => {
      const session = connect();
      const job = await findJob(session, id);
      const tasks = flags.task ? [taskOf(job, flags.task)] : job.tasks;
      const files: Kept[] = [];
      const refused: { task: string; path: string; why: string }[] = [];
      for (const task of tasks) {
        const kept = await session.client.call(routes.tasks.files, { params: { task: task.id } });
        files.push(...kept.items.map(({ path, bytes }) => ({ task, path, bytes })));
        refused.push(...kept.refused.map((one) => ({ task: task.name, ...one })));
      }
      if (flags.save) await save(session, files, flags.save);
      if (flags.json) {
        const items = files.map(({ task, path, bytes }) => ({
          task: task.name,
          path,
          bytes,
          saved: flags.save ? join(resolve(flags.save), task.name, path) : undefined,
        }));
        return printJson({ items, refused });
      }
      for (const { task, path, why } of refused) {
        note(style.yellow(`not kept: ${plain(task)}/${plain(path)}: ${plain(why)}`));
      }
      if (files.length === 0)
        return note(style.dim('no files: a script keeps what it writes to $VGPU_OUTPUT'));
      const columns = [
        { title: 'task', shrinks: true },
        { title: 'file', shrinks: true },
        { title: 'size', align: 'right' as const },
      ];
      print(
        renderTable(
          columns,
          files.map(({ task, path, bytes }) => [task.name, path, formatBytes(bytes)]),
        ),
      );
      if (flags.save) note(style.dim(`${count(files.length, 'file')} saved to ${resolve(flags.save)}`));
    });
}
