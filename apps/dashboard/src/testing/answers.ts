import { routes } from '@vgpu/api';
import { report } from './report.ts';
import { longLine, seriesOf } from './streams.ts';
import { longLog, manySeries, randomOf, startedAt, topologyOf, type World } from './world.ts';

const GiB = 2 ** 30;

export interface Ask {
  params: Record<string, string>;
  query: URLSearchParams;
  body: unknown;
}

/** A length of log that grows: the million-line task gains 40 lines a second. */
export const linesOf = (world: World, task: string): number => {
  const job = world.jobs.find((one) => one.tasks.some((each) => each.id === task));
  const live = job?.tasks.find((one) => one.id === task)?.state === 'RUNNING';
  const base = job?.name === 'marathon' ? longLog : 1200;
  return live ? base + Math.floor((Date.now() - startedAt) / 25) : base;
};

const page = <T>(items: T[]) => ({ items, next: null, total: items.length });
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

/** The answer to each route, from the world in memory. */
export function answers(world: World): Map<object, (ask: Ask) => unknown> {
  const none = () => undefined;
  return new Map<object, (ask: Ask) => unknown>([
    [routes.access.whoami, () => ({ user: 'admin', project: 'default', scopes: ['read', 'write', 'admin'] })],
    [routes.access.signIn, () => ({ user: 'admin', project: 'default', scopes: ['read', 'write', 'admin'] })],
    [routes.access.signOut, none],
    [
      routes.access.tokens,
      () => ({
        items: ['laptop', 'ci', 'notebook'].map((name, i) => ({
          id: `tok_${i}`,
          name,
          project: 'default',
          user: 'admin',
          scopes: i ? ['read', 'write'] : ['read', 'write', 'admin'],
          createdAt: startedAt - 864e5 * (i + 3),
          lastUsedAt: i === 1 ? null : startedAt - 36e5,
          expiresAt: i === 2 ? startedAt + 864e6 : null,
        })),
      }),
    ],
    [
      routes.access.createToken,
      ({ body }) => ({
        id: 'tok_9',
        project: 'default',
        user: 'admin',
        createdAt: Date.now(),
        lastUsedAt: null,
        expiresAt: null,
        scopes: ['read', 'write'],
        ...(body as object),
        secret: 'vgpu_5n0wflake5n0wflake5n0wflake5n0wflake',
      }),
    ],
    [routes.access.revokeToken, none],
    [
      routes.secrets.list,
      () => ({
        items: ['HF_TOKEN', 'gcp-key.json', 'OLD_KEY'].map((name, i) => ({
          name,
          bytes: [37, 2318, 20][i],
          text: i !== 1,
          readable: i !== 2,
          createdAt: startedAt - 864e5 * (i + 3),
          updatedAt: startedAt - 864e5 * i,
          updatedBy: 'admin',
        })),
      }),
    ],
    [routes.secrets.remove, none],
    [
      routes.machine.health,
      () => ({
        status: 'ok',
        version: '0.1.0',
        startedAt,
        findings: [
          { name: 'Engine', level: 'ok', text: 'Docker 29.1.2 answers in 3 ms', advice: null },
          {
            name: 'Disk',
            level: 'warn',
            text: '11 GiB free under /var/lib/vgpu',
            advice: 'Free some space, or move VGPU_HOME.',
          },
          { name: 'Image', level: 'ok', text: 'vgpu/sklearn is built', advice: null },
        ],
      }),
    ],
    [
      routes.machine.capacity,
      () => ({
        cpu: { total: 32_000, used: 10_500 },
        memory: { total: 128 * GiB, used: 24 * GiB },
        gpu: { total: world.accelerators.length * 1000, used: world.accelerators.length * 500 },
        vram: { total: world.accelerators.length * 80 * GiB, used: world.accelerators.length * 32 * GiB },
        workers: { running: 6, warm: 1 },
      }),
    ],
    [routes.machine.topology, () => topologyOf(world)],
    [
      routes.machine.queue,
      () => ({
        items: world.jobs
          .flatMap((job) =>
            job.tasks
              .filter((one) => one.state === 'QUEUED')
              .map((task) => ({
                position: 0,
                task: task.id,
                job: job.id,
                jobName: job.name,
                name: task.name,
                priority: 0,
                submittedAt: task.submittedAt,
                attempts: 0,
                why: task.waiting!.message,
                hint: task.waiting!.hint,
                estimatedStart: task.waiting!.estimatedStart,
              })),
          )
          .map((one, i) => ({ ...one, position: i + 1 })),
      }),
    ],
    [
      routes.accelerators.list,
      () => ({
        items: world.accelerators,
        advice: world.accelerators.length
          ? null
          : 'No accelerator was found. Install the NVIDIA driver (`nvidia-smi` must answer) or an OpenCL runtime, then run `vgpu doctor`.',
      }),
    ],
    [
      routes.accelerators.history,
      ({ params }) => {
        const r = randomOf(params.uuid!.length);
        const n = 360;
        return {
          uuid: params.uuid,
          time: Array.from({ length: n }, (_, i) => Date.now() - (n - i) * 10_000),
          utilisation: Array.from({ length: n }, (_, i) => 50 + 30 * Math.sin(i / 30) + r() * 12),
          memoryUsed: Array.from({ length: n }, (_, i) => (20 + 10 * Math.sin(i / 70)) * GiB),
          temperature: Array.from({ length: n }, (_, i) => 55 + 8 * Math.sin(i / 40) + r()),
          power: Array.from({ length: n }, (_, i) => 300 + 100 * Math.sin(i / 30) + r() * 20),
        };
      },
    ],
    [
      routes.accelerators.pools,
      () => ({
        items: [
          {
            name: 'default',
            accelerators: world.accelerators.map((one) => one.uuid),
            deviceSplitCount: 10,
            deviceCoreScaling: 1,
            deviceMemoryScaling: 1,
          },
        ],
      }),
    ],
    [
      routes.accelerators.setPool,
      ({ params, body }) => ({
        name: params.pool,
        accelerators: [],
        deviceSplitCount: 10,
        deviceCoreScaling: 1,
        deviceMemoryScaling: 1,
        ...(body as object),
      }),
    ],
    [routes.accelerators.removePool, none],
    [
      routes.images.list,
      () => ({
        items: [
          {
            id: 'sha256:c41ab7',
            tags: ['vgpu/sklearn:c41ab7', 'vgpu/sklearn:latest'],
            name: 'sklearn',
            created: startedAt - 864e5,
            bytes: 612_000_000,
            managed: true,
            inUse: 6,
          },
          {
            id: 'sha256:77d0e2',
            tags: ['pytorch/pytorch:2.9-cuda13'],
            name: null,
            created: startedAt - 864e6,
            bytes: 7_912_000_000,
            managed: false,
            inUse: 0,
          },
        ],
      }),
    ],
    [routes.images.remove, none],
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
    [routes.datasets.list, () => page(world.datasets)],
    [
      routes.datasets.get,
      ({ params }) => world.datasets.find((one) => one.name === params.dataset || one.id === params.dataset),
    ],
    [routes.datasets.check, ({ query }) => report(query.get('file') ?? 'data.csv')],
    [
      routes.datasets.add,
      ({ query }) => ({
        dataset: 'ds_1',
        name: query.get('file')!.replace(/\.\w+$/, ''),
        version: 'c41ab7',
        existed: false,
        report: report(query.get('file')!),
      }),
    ],
    [routes.datasets.report, ({ params }) => report(`${params.dataset}.csv`)],
    [
      routes.datasets.preview,
      ({ query }) => {
        const offset = Number(query.get('offset') ?? 0);
        const limit = Number(query.get('limit') ?? 50);
        const { columns } = report('');
        return {
          columns: columns.map((one) => one.name),
          total: 7040,
          rows: Array.from({ length: Math.min(limit, 7040 - offset) }, (_, i) =>
            columns.map((one, k) =>
              one.type === 'category' ? ['yes', 'no'][(i + k) % 2]! : String(((offset + i) * (k + 3)) % 97),
            ),
          ),
        };
      },
    ],
    [routes.datasets.remove, none],
  ]);
}
