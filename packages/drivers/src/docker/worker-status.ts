import { LABEL, type WorkerHandle, type WorkerStatus } from '../types.ts';
import type { DockerContext } from './context.ts';
import type { ContainerDescription } from './engine-containers.ts';
import { readRecord, type TaskRecord } from './task-record.ts';
import { workerPaths } from './worker-folders.ts';

/** Name of the folder of a container's worker. */
export const folderOf = (c: ContainerDescription): string => c.Config.Labels[LABEL.folder] ?? '';

/** The task of a container: its folder's record, else (a crash before it was written) its labels. */
export function recordOf(context: DockerContext, c: ContainerDescription): TaskRecord | undefined {
  const labels = c.Config.Labels;
  const paths = workerPaths(context.folders, folderOf(c));
  const record = readRecord(paths.record);
  if (record || labels[LABEL.role] !== 'worker') return record;
  const handle: WorkerHandle = {
    driver: 'docker',
    id: c.Id,
    name: c.Name.replace(/^\//, ''),
    attemptId: labels[LABEL.attempt] ?? '',
    taskId: labels[LABEL.task] ?? '',
    jobId: labels[LABEL.job] ?? '',
    project: labels[LABEL.project] ?? '',
    workerName: labels[LABEL.worker] ?? '',
    ringDir: paths.ctl,
    ringPath: paths.ring,
    warm: false,
    startedAt: Date.parse(c.Created),
  };
  return {
    handle,
    memoryBytes: c.HostConfig.Memory,
    timeLimitMs: 0,
    outputLimits: { bytes: 0, files: 0 },
    ports: [],
    image: c.Config.Image,
  };
}

/** Undefined for an idle worker of the pool: it has no task. */
export function statusOf(context: DockerContext, c: ContainerDescription): WorkerStatus | undefined {
  const record = recordOf(context, c);
  if (!record) return undefined;
  const ended = c.State.Status === 'exited' || c.State.Status === 'dead' || c.State.Status === 'removing';
  return {
    handle: { ...record.handle, name: c.Name.replace(/^\//, '') },
    phase: c.State.Running ? 'running' : ended ? 'exited' : 'created',
    image: record.image,
    imageId: c.Image,
    createdAt: Date.parse(c.Created),
    ...(ended ? { exitCode: c.State.ExitCode, oomKilled: c.State.OOMKilled } : {}),
    ...(c.State.Pid ? { pid: c.State.Pid } : {}),
    ports: record.ports,
    labels: c.Config.Labels,
  };
}
