import { routes } from '@vgpu/api';
import { client } from '../server/client.ts';
import { refresh } from '../server/use-route.ts';

const all = () =>
  refresh(
    routes.jobs.list,
    routes.jobs.get,
    routes.jobs.metrics,
    routes.machine.queue,
    routes.machine.capacity,
  );

const each = async (jobs: readonly string[], work: (job: string) => Promise<unknown>): Promise<void> => {
  try {
    for (const job of jobs) await work(job);
  } finally {
    await all();
  }
};

/** What a person does to jobs; one after another, and the lists are read again. */
export const jobActions = {
  stop: (jobs: readonly string[]) => each(jobs, (job) => client.call(routes.jobs.stop, { params: { job } })),
  retry: (jobs: readonly string[]) =>
    each(jobs, (job) => client.call(routes.jobs.retry, { params: { job } })),
  remove: (jobs: readonly string[]) =>
    each(jobs, (job) => client.call(routes.jobs.remove, { params: { job } })),
  stopTask: async (task: string) => {
    await client.call(routes.tasks.stop, { params: { task } });
    await all();
  },
  retryTask: async (task: string) => {
    await client.call(routes.tasks.retry, { params: { task } });
    await all();
  },
};
