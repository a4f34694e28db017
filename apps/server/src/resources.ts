import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openStore, type Store } from '@vgpu/store';
import type { Logger } from 'pino';
import type { ServerConfig } from './config.ts';
import { type HomePaths, homePaths } from './home/paths.ts';
import { Access } from './systems/access.ts';
import { Bundles } from './systems/bundles.ts';
import { Changes } from './systems/changes.ts';
import { Datasets } from './systems/datasets.ts';
import { Devices, type DevicesParts } from './systems/devices.ts';
import { Engine, type OpenDriver } from './systems/engine.ts';
import { Execution } from './systems/execution.ts';
import { ExpectedWork } from './systems/expected-work.ts';
import { Health } from './systems/health.ts';
import { Images } from './systems/images.ts';
import { JobActions } from './systems/job-actions.ts';
import { JobQueries } from './systems/job-queries.ts';
import { KeyRing } from './systems/key-ring.ts';
import { Metrics } from './systems/metrics.ts';
import { dockerEngine } from './systems/open-driver.ts';
import { Pools } from './systems/pools.ts';
import { Projects } from './systems/projects.ts';
import { Reconciler } from './systems/reconciler.ts';
import { RunHistory } from './systems/run-history.ts';
import { Scheduling } from './systems/scheduling.ts';
import { Secrets } from './systems/secrets.ts';
import { Submissions } from './systems/submission.ts';
import { TaskLaunches } from './systems/task-launch.ts';
import { TaskStates } from './systems/task-states.ts';
import { Telemetry } from './systems/telemetry.ts';
import { TopologySystem } from './systems/topology.ts';
import { purgeTasks } from './work/purge-tasks.ts';
import { WorkRunner } from './work/work-runner.ts';

/** Everything that the routes and the background work stand on, wired once. */
export interface Resources {
  config: ServerConfig;
  paths: HomePaths;
  log: Logger;
  store: Store;
  access: Access;
  changes: Changes;
  engine: Engine;
  devices: Devices;
  pools: Pools;
  projects: Projects;
  secrets: Secrets;
  images: Images;
  bundles: Bundles;
  datasets: Datasets;
  telemetry: Telemetry;
  scheduling: Scheduling;
  launches: TaskLaunches;
  execution: Execution;
  reconciler: Reconciler;
  submissions: Submissions;
  actions: JobActions;
  queries: JobQueries;
  topology: TopologySystem;
  health: Health;
  metrics: Metrics;
  work: WorkRunner;
  /** Origin that the server listens at, once it does. */
  url: { value: string };
}

export interface ResourceOptions {
  config: ServerConfig;
  log: Logger;
  /** The driver of workers; default: Docker or Podman, as found on this machine. */
  openDriver?: OpenDriver | undefined;
  /** The accelerators; default: those that are found on this machine. */
  inventory?: DevicesParts['inventory'];
}

/** Opens the store and wires the systems. Nothing runs yet. */
export async function openResources({
  config,
  log,
  openDriver,
  inventory,
}: ResourceOptions): Promise<Resources> {
  const paths = homePaths(config.home);
  // Half-done uploads of a process that ended are worth nothing.
  for (const name of readdirSync(paths.temporary)) {
    rmSync(join(paths.temporary, name), { recursive: true, force: true });
  }
  const store = await openStore(
    config.database
      ? { dialect: 'postgres', url: config.database }
      : { dialect: 'sqlite', file: paths.database },
  );
  const access = await Access.open(store, paths.token);
  const secrets = new Secrets({ store, keys: KeyRing.open(paths.secretKey) });
  const changes = new Changes();
  const latest = await store.read
    .selectFrom('events')
    .select((e) => e.fn.max('seq').as('seq'))
    .executeTakeFirst();
  changes.latest = Number(latest?.seq ?? 0);
  const url = { value: '' };
  const engine = new Engine(openDriver ? { open: openDriver } : dockerEngine(config.home, log), log);
  const pools = await Pools.open(store, config.home);
  const bundles = new Bundles(store, paths);
  const datasets = new Datasets(store, paths);
  const telemetry = new Telemetry({ store, logsDir: paths.logs, log });
  const projects = await Projects.open(store);
  const history = await RunHistory.open(store, () => devices.inventory.accelerators.map((one) => one.model));
  const expectedWork = await ExpectedWork.open(store);
  const states = new TaskStates(store, changes);

  // These know of each other; what one calls in another happens only once all exist.
  const scheduling: Scheduling = new Scheduling({
    cpuMilli: config.cpuMilli,
    memoryBytes: config.memoryBytes,
    log,
    preemption: config.preemption,
    expectedWork,
    accelerators: () => devices.view(),
    queues: () => projects.queues(),
    blocked: () =>
      engine.connected
        ? undefined
        : {
            code: 'engine',
            message: 'The container engine does not answer.',
            hint: 'Run `vgpu doctor`, then `vgpu setup`.',
          },
    start: (bind) => execution.start(bind),
    stoppable: (task) => execution.stoppable(task),
    preempt: (preempt) => execution.preempt(preempt),
  });
  const devices: Devices = new Devices({
    home: config.home,
    pools,
    log,
    cdi: () => engine.known?.capabilities.cdi ?? false,
    held: () => scheduling.shares(),
    onChange: () => scheduling.wake(),
    onLeave: (uuid, reason) => {
      for (const active of holders(uuid)) execution.evict(active, reason);
    },
    onDrain: (uuid, reason, graceMs) => {
      for (const active of holders(uuid)) execution.drain(active, reason, graceMs);
    },
    inventory,
  });
  const holders = (uuid: string) => {
    const attempts = new Set(devices.slices.filter((slice) => slice.uuid === uuid).map((s) => s.attempt));
    return execution.active().filter((active) => attempts.has(active.attempt));
  };
  const keepWarm = () => warmUp(engine, images, config, log);
  const images: Images = new Images(engine, () => void keepWarm());
  const launches = new TaskLaunches({ store, bundles, datasets, images, secrets, history });
  const execution: Execution = new Execution({
    store,
    driver: engine,
    states,
    scheduling,
    telemetry,
    launches,
    history,
    devices,
    filesDir: paths.files,
    log,
  });
  const reconciler = new Reconciler({
    store,
    driver: engine,
    execution,
    scheduling,
    telemetry,
    devices,
    history,
    log,
  });
  engine.onUp(() => {
    reconciler
      .takeUp()
      .catch((error) => log.error({ err: error }, 'taking up workers failed'))
      .finally(() => {
        scheduling.wake();
        void keepWarm();
      });
  });
  const queries = new JobQueries({ store, telemetry, scheduling });
  const submissions = new Submissions({ store, bundles, scheduling, projects, secrets, history });
  const actions = new JobActions({ store, changes, submissions, scheduling, execution, launches });
  const topology = new TopologySystem({
    engine,
    execution,
    devices,
    pools,
    telemetry,
    url: () => url.value,
    version: config.version,
  });
  const health = new Health({ engine, devices, home: config.home, version: config.version });
  const metrics = new Metrics({ store, changes, scheduling, engine, devices, execution });
  const work = new WorkRunner(
    store.queue,
    { 'purge-tasks': ({ tasks }) => purgeTasks(tasks, telemetry, paths.files) },
    log,
  );
  return {
    config,
    paths,
    log,
    store,
    access,
    changes,
    engine,
    devices,
    pools,
    projects,
    secrets,
    images,
    bundles,
    datasets,
    telemetry,
    scheduling,
    launches,
    execution,
    reconciler,
    submissions,
    actions,
    queries,
    topology,
    health,
    metrics,
    work,
    url,
  };
}

/** Keeps workers of the standard image ready, where the engine has that image. */
export async function warmUp(
  engine: Engine,
  images: Images,
  config: ServerConfig,
  log: Logger,
): Promise<void> {
  const { image, size, memoryBytes } = config.warm;
  if (size === 0 || !engine.connected) return;
  try {
    const known = await images.list();
    if (!known.some((one) => one.name === image || one.tags.includes(image))) return;
    await engine.keepWarm({ image: await images.resolve(image), size, memoryBudgetBytes: memoryBytes });
  } catch (error) {
    log.warn({ err: error }, 'no warm workers');
  }
}
