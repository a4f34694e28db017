import { type Job, type Progress, type RouteOutput, routes, type ServerFrame, type Task } from '@vgpu/api';
import { isJobTerminal, isTerminal, VgpuError } from '@vgpu/core';
import type { Session } from '../context/connection.ts';
import { Detached } from './detached.ts';
import { Stream } from './stream.ts';

type LogLine = RouteOutput<typeof routes.tasks.logs>['items'][number];

/** What a watcher is told; all are optional. */
export interface JobListener {
  /** Every change of a task, and each one once at the beginning. */
  onTask?(task: Task): void;
  onLive?(task: string, progress: Progress | null, line: string | null): void;
  /** Whole lines, in order, each once. Asking for them subscribes to the logs. */
  /** `dropped`: bytes that came too fast to be kept since the last call. */
  onLines?(task: Task, lines: readonly LogLine[], dropped: number): void;
}

export interface WatchOptions {
  /** Only these tasks' lines. */
  wantsLogs?: (task: Task) => boolean;
  /** First line; negative counts from the end. */
  from?: number;
}

/**
 * Follows a job over the WebSocket until every task has ended (and its last line has come, where lines are asked for).
 * A server that restarts meanwhile is found again; one that stays away for 30 s is an error.
 * @returns the job as it ended.
 * @throws Detached when the user pressed Ctrl-C; VgpuError `SERVER_UNREACHABLE`, `NOT_FOUND`.
 */
export function watchJob(
  { client, connection }: Session,
  id: string,
  listener: JobListener = {},
  options: WatchOptions = {},
): Promise<Job> {
  const tasks = new Map<string, Task>();
  const openLogs = new Set<string>();
  const seenLogs = new Set<string>();
  const dropped = new Map<string, number>();
  return new Promise<Job>((resolve, reject) => {
    let finishing = false;
    const end = (settle: () => void) => {
      process.removeListener('SIGINT', onInterrupt);
      stream.close();
      settle();
    };
    const onInterrupt = () => end(() => reject(new Detached()));
    const finishIfOver = (): void => {
      if (finishing || tasks.size === 0 || openLogs.size > 0) return;
      if (![...tasks.values()].every((task) => isTerminal(task.state))) return;
      finishing = true;
      // The server has the last word: a retry may have begun in between.
      client.call(routes.jobs.get, { params: { job: id } }).then(
        (job) => {
          finishing = false;
          if (isJobTerminal(job.state)) end(() => resolve(job));
        },
        (error) => {
          finishing = false;
          // A server that ended just now comes back with the job's frame, or the stream says that it stays away.
          if (error instanceof VgpuError && error.code === 'SERVER_UNREACHABLE') return;
          end(() => reject(error));
        },
      );
    };
    const take = (task: Task): void => {
      tasks.set(task.id, task);
      listener.onTask?.(task);
      if (listener.onLines && !seenLogs.has(task.id) && (options.wantsLogs?.(task) ?? true)) {
        seenLogs.add(task.id);
        openLogs.add(task.id);
        stream.subscribe(`logs:${task.id}`, options.from ?? 0);
      }
    };
    const onFrame = (frame: ServerFrame): void => {
      switch (frame.type) {
        case 'job':
          for (const task of frame.job.tasks) take(task);
          break;
        case 'task':
          take(frame.task);
          break;
        case 'live':
          listener.onLive?.(frame.task, frame.progress, frame.liveLine);
          return;
        case 'logs': {
          const task = tasks.get(frame.topic.slice('logs:'.length));
          if (task) {
            listener.onLines?.(task, frame.lines, frame.dropped - (dropped.get(task.id) ?? 0));
            dropped.set(task.id, frame.dropped);
          }
          if (!frame.open && task) {
            openLogs.delete(task.id);
            stream.unsubscribe(frame.topic);
          }
          break;
        }
        case 'gone':
          if (frame.topic.startsWith('logs:')) openLogs.delete(frame.topic.slice('logs:'.length));
          else end(() => reject(new VgpuError('NOT_FOUND', { what: 'job', id, list: 'ps' })));
          break;
        case 'error':
          end(() => reject(VgpuError.fromBody(frame.error as Parameters<typeof VgpuError.fromBody>[0])));
          return;
        case 'jobs':
        case 'topology':
        case 'pong':
          return;
      }
      finishIfOver();
    };
    const stream = new Stream(connection, onFrame, (error) => end(() => reject(error)));
    process.once('SIGINT', onInterrupt);
    stream.subscribe(`job:${id}`);
  });
}
