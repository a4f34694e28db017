import type { UseQueryResult } from '@tanstack/react-query';
import { type Job, routes, type ServerFrame } from '@vgpu/api';
import { isTerminal, jobStateOf } from '@vgpu/core';
import { useEffect } from 'react';
import { queryClient } from '../server/query-client.ts';
import { routeQuery, useRoute } from '../server/use-route.ts';
import { stream } from './stream.ts';
import { taskLive } from './task-live.ts';

function apply(id: string, frame: ServerFrame): void {
  const { queryKey } = routeQuery(routes.jobs.get, { params: { job: id } });
  if (frame.type === 'job') queryClient.setQueryData(queryKey, frame.job);
  else if (frame.type === 'task') {
    queryClient.setQueryData<Job>(queryKey, (job) => job && withTask(job, frame.task));
    // An answer that is on its way may be older than this frame, and would undo it: it is asked for again. So is
    // what is said of the whole job (its best task, its end) once a task has ended.
    if (isTerminal(frame.task.state) || queryClient.isFetching({ queryKey }) > 0)
      void queryClient.invalidateQueries({ queryKey });
  } else if (frame.type === 'live') {
    taskLive(frame.task).update(frame.progress, frame.liveLine, frame.points);
  }
}

/** A job with one of its tasks replaced, its counts made to fit. */
function withTask(job: Job, task: Job['tasks'][number]): Job {
  const tasks = job.tasks.map((one) => (one.id === task.id ? task : one));
  const counts = { ...job.counts };
  for (const state of Object.keys(counts) as (keyof typeof counts)[]) counts[state] = 0;
  for (const one of tasks) counts[one.state] = (counts[one.state] ?? 0) + 1;
  return { ...job, tasks, counts, state: jobStateOf(tasks.map((one) => one.state)) };
}

/** A job that keeps itself fresh over the stream while it is on screen. */
export function useJob(job: string): UseQueryResult<Job> {
  const query = useRoute(routes.jobs.get, { params: { job } });
  const id = query.data?.id;
  useEffect(() => {
    if (!id) return;
    const leave = stream.subscribe(`job:${id}`, (frame) => {
      apply(id, frame);
      if (id !== job) apply(job, frame);
    });
    const resumed = stream.onResumed(() => {
      for (const task of queryClient.getQueryData<Job>(
        routeQuery(routes.jobs.get, { params: { job: id } }).queryKey,
      )?.tasks ?? []) {
        const { series } = taskLive(task.id);
        if (series.loaded) void series.load();
      }
    });
    return () => {
      leave();
      resumed();
    };
  }, [id, job]);
  return query;
}
