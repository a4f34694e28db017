import { existsSync, readdirSync } from 'node:fs';
import type { ReapResult } from '../types.ts';
import type { DockerContext } from './context.ts';
import type { ContainerDescription } from './engine-containers.ts';
import { LiveWorker } from './live-worker.ts';
import type { TaskRecord } from './task-record.ts';
import { mountsUnder } from './tmpfs.ts';
import { removeFolders, workerPaths } from './worker-folders.ts';
import { folderOf, recordOf } from './worker-status.ts';

/** A worker of an earlier server, as an object of this one; `attend` connects to it. */
export function earlierWorker(
  context: DockerContext,
  c: ContainerDescription,
  record: TaskRecord,
): LiveWorker {
  const worker = new LiveWorker(context.containers, c.Id, workerPaths(context.folders, folderOf(c)));
  worker.record = record;
  return worker;
}

/** Hears again of a worker that runs on, or of the end that nobody saw. */
export async function attend(
  context: DockerContext,
  c: ContainerDescription,
  worker: LiveWorker,
): Promise<void> {
  if (!c.State.Running) {
    void worker.settleFromEngine();
    return;
  }
  // One that cannot be spoken to can still be watched.
  await worker.attach().catch(() => void worker.settleFromEngine());
  if (!context.folders.canMount || worker.paths.out.startsWith(worker.paths.disk)) worker.watchOutput();
}

export interface ReapPlan {
  /** Whether a container stays: its attempt goes on, or it is an idle worker of the pool. */
  keeps(c: ContainerDescription, record: TaskRecord | undefined): boolean;
  /** Folders of workers that this process has. */
  folders(): Iterable<string>;
  /** Removes a container and all that belongs to it. */
  remove(c: ContainerDescription, record: TaskRecord | undefined): Promise<void>;
}

/** Removes what no attempt needs: containers, and folders and mounts whose container is gone. */
export async function reapWorkers(context: DockerContext, plan: ReapPlan): Promise<ReapResult> {
  const result: ReapResult = { containers: [], networks: [], folders: [] };
  const found = await context.containers.list(context.homeId);
  const keptKeys = new Set<string>(plan.folders());
  await Promise.all(
    found.map(async (c) => {
      const record = recordOf(context, c);
      if (context.young.has(folderOf(c)) || plan.keeps(c, record)) keptKeys.add(folderOf(c));
      else {
        await plan.remove(c, record);
        result.containers.push(c.Name.replace(/^\//, ''));
      }
    }),
  );
  // Folders whose container is already gone: a crash between the two.
  const alive = new Set((await context.containers.list(context.homeId)).map(folderOf));
  const { diskRoot, volatileRoot, canMount } = context.folders;
  const keys = new Set([diskRoot, volatileRoot].flatMap((dir) => (existsSync(dir) ? readdirSync(dir) : [])));
  for (const point of canMount ? mountsUnder(volatileRoot) : [])
    keys.add(point.slice(volatileRoot.length + 1).split('/')[0]!);
  for (const key of keys) {
    if (alive.has(key) || keptKeys.has(key) || context.young.has(key)) continue;
    await removeFolders(workerPaths(context.folders, key), canMount);
    result.folders.push(key);
  }
  return result;
}
