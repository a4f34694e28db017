import { routes } from '@vgpu/api';
import { type Answers, type Ask, none, page } from './answer.ts';
import { startedAt } from './seed.ts';
import { longLine, seriesOf } from './streams.ts';
import { longLog, manySeries, type World } from './world.ts';

/** A length of log that grows: the million-line task gains 40 lines a second. */
export const linesOf = (world: World, task: string): number => {
  const job = world.jobs.find((one) => one.tasks.some((each) => each.id === task));
  const live = job?.tasks.find((one) => one.id === task)?.state === 'RUNNING';
  const base = job?.name === 'marathon' ? longLog : 1200;
  return live ? base + Math.floor((Date.now() - startedAt) / 25) : base;
};

const find = (world: World, name: string) => world.jobs.find((one) => one.id === name || one.name === name);
const taskOf = (world: World, id: string) =>
  world.jobs.flatMap((one) => one.tasks).find((one) => one.id === id);

function logs(world: World, { params, query }: Ask) {
  const task = params.task!;
  const total = linesOf(world, task);
  const limit = Number(query.get('limit') ?? 1000);
  let from = Number(query.get('from') ?? 0);
  if (from < 0) from = Math.max(0, total + from);
  const search = query.get('search')?.toLowerCase();
  const items = [];
  for (let seq = from; seq < total && items.length < limit; seq++) {
    const line = longLine(seq);
    if (!search || line.text.toLowerCase().includes(search)) items.push(line);
  }
  return { items, total, dropped: 0, open: taskOf(world, task)?.state === 'RUNNING' };
}

function stopped(world: World, name: string) {
  const job = find(world, name)!;
  for (const task of job.tasks)
    if (['QUEUED', 'RUNNING'].includes(task.state))
      Object.assign(task, { state: 'CANCELLED', endedAt: Date.now(), waiting: null });
  return Object.assign(job, { state: 'CANCELLED', endedAt: Date.now() });
}

/** Jobs, their tasks, and what is uploaded for them. */
export const jobAnswers = (world: World): Answers => [
  [
    routes.jobs.list,
    ({ query }) => {
      const search = query.get('search')?.toLowerCase();
      const state = query.get('state');
      const sort = (query.get('sort') ?? 'submittedAt') as 'name';
      const sign = query.get('order') === 'asc' ? 1 : -1;
      return page(
        world.jobs
          .filter(
            (one) =>
              (!state || one.state === state) &&
              (!search || one.name.includes(search) || one.id.includes(search)),
          )
          .sort((a, b) => sign * (a[sort] < b[sort] ? -1 : 1))
          .slice(0, Number(query.get('limit') ?? 100)),
      );
    },
  ],
  [routes.jobs.get, ({ params }) => find(world, params.job!)],
  [routes.jobs.stop, ({ params }) => stopped(world, params.job!)],
  [routes.jobs.retry, ({ params }) => find(world, params.job!)],
  [
    routes.jobs.remove,
    ({ params }) => {
      world.jobs.splice(world.jobs.indexOf(find(world, params.job!)!), 1);
    },
  ],
  [routes.jobs.submit, () => world.jobs[0]],
  [
    routes.jobs.preview,
    ({ body }) => {
      const { data = [] } = (body as { spec: { data?: { dataset: string }[] } }).spec;
      return {
        tasks: (data.length ? data : [{ dataset: 'task-01' }]).map((one, i) => ({
          name: one.dataset,
          dataset: one.dataset,
          node: i < 2 ? 'lab-01' : null,
          accelerators: [],
          startsAt: i < 2 ? Date.now() : Date.now() + 240_000,
          waiting:
            i < 2
              ? null
              : {
                  position: 4,
                  code: 'NO_CAPACITY',
                  message: 'needs 4 cores, 1.5 are free',
                  hint: null,
                  estimatedStart: Date.now() + 240_000,
                },
        })),
        warnings: [],
      };
    },
  ],
  [
    routes.jobs.metrics,
    ({ params }) => {
      const job = find(world, params.job!)!;
      const columns = [...new Set(job.tasks.flatMap((one) => Object.keys(one.metrics)))];
      return {
        job: job.id,
        primary: job.primary,
        goal: job.goal,
        columns,
        rows: job.tasks.map((task) => ({
          task: task.id,
          name: task.name,
          dataset: task.dataset,
          state: task.state,
          values: task.metrics,
          best: task.id === job.best?.task,
        })),
      };
    },
  ],
  [routes.tasks.get, ({ params }) => taskOf(world, params.task!)],
  [routes.tasks.stop, ({ params }) => taskOf(world, params.task!)],
  [routes.tasks.retry, ({ params }) => taskOf(world, params.task!)],
  [routes.tasks.logs, (ask) => logs(world, ask)],
  [
    routes.tasks.series,
    ({ params }) => ({
      items: seriesOf(
        find(world, 'marathon')?.tasks.some((one) => one.id === params.task) ? manySeries : 4,
        600,
      ),
    }),
  ],
  [
    routes.tasks.files,
    () => ({
      items: [
        {
          path: 'model.joblib',
          bytes: 1_482_221,
          modifiedAt: startedAt - 4e5,
          type: 'application/octet-stream',
        },
        { path: 'plots/importance.png', bytes: 48_220, modifiedAt: startedAt - 4e5, type: 'image/png' },
        { path: 'scores.json', bytes: 812, modifiedAt: startedAt - 4e5, type: 'application/json' },
      ],
      refused: [{ path: 'latest', why: 'it is a link out of the folder' }],
    }),
  ],
  [routes.bundles.exists, none],
  [routes.bundles.put, ({ params }) => ({ hash: params.hash, files: 1, bytes: 2048 })],
  [
    routes.bundles.form,
    () => ({
      items: [
        {
          name: 'lr',
          flag: '--lr',
          type: 'number',
          default: 0.01,
          choices: null,
          help: 'learning rate',
          required: false,
        },
        {
          name: 'model',
          flag: '--model',
          type: 'choice',
          default: 'forest',
          choices: ['forest', 'boost', 'linear'],
          help: 'kind of model',
          required: false,
        },
        {
          name: 'calibrate',
          flag: '--calibrate',
          type: 'boolean',
          default: false,
          choices: null,
          help: 'calibrate the probabilities',
          required: false,
        },
      ],
    }),
  ],
];
