import { access } from './routes/access.ts';
import { datasets } from './routes/datasets.ts';
import { bundles, jobs, tasks } from './routes/jobs.ts';
import { accelerators, images, machine } from './routes/machine.ts';
import { projects } from './routes/projects.ts';
import { secrets } from './routes/secrets.ts';

export * from './client.ts';
export * from './route.ts';
export * from './views/access.ts';
export * from './views/common.ts';
export * from './views/dataset.ts';
export * from './views/job.ts';
export * from './views/log.ts';
export * from './views/machine.ts';
export * from './views/project.ts';
export * from './views/secret.ts';
export * from './views/stream.ts';

/** Every route of the API, by resource. */
export const routes = {
  jobs,
  tasks,
  bundles,
  datasets,
  machine,
  accelerators,
  images,
  access,
  projects,
  secrets,
} as const;
