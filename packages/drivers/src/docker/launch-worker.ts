import { randomBytes } from 'node:crypto';
import { DriverError } from '../errors.ts';
import { ImageStore } from '../image/image-store.ts';
import { LABEL, type TaskLaunch, type WorkerHandle } from '../types.ts';
import {
  baseLabels,
  containerSpec,
  DEFAULT_PIDS,
  INSIDE,
  launchLabels,
  outputPlan,
  PRELOAD,
} from './container-spec.ts';
import type { DockerContext } from './context.ts';
import { ensureEgressNetwork } from './egress-network.ts';
import { LiveWorker } from './live-worker.ts';
import { stageInputs } from './stage-inputs.ts';
import { recordOf, writeRecord } from './task-record.ts';
import { makeFolders, removeFolders, type WorkerPaths, workerPaths } from './worker-folders.ts';

export function newKey(): string {
  return randomBytes(8).toString('hex');
}

/** `vgpu-worker-01` is a name within its job; the engine's names are one space, so the attempt follows. */
export function containerName(workerName: string, attemptId: string): string {
  return `${workerName}-${attemptId.replace(/[^a-zA-Z0-9_.-]/g, '').slice(-16)}`;
}

/** What the supervisor is told. Secrets travel here alone: never in labels or the engine's configuration. */
export function orderOf(launch: TaskLaunch, dataset: string | undefined): Record<string, unknown> {
  const path = dataset ? `${INSIDE.in}/data/${dataset}` : undefined;
  const command =
    launch.command.kind === 'python'
      ? { ...launch.command, args: [...(path ? [path] : []), ...launch.command.args] }
      : launch.command;
  return {
    command,
    env: {
      ...launch.env,
      ...Object.fromEntries(
        launch.secrets.flatMap(({ env, value }) => (env ? [[env, value.toString()]] : [])),
      ),
      ...(path ? { VGPU_DATASET: path } : {}),
      ...(launch.target ? { VGPU_TARGET: launch.target } : {}),
      VGPU_OUTPUT: INSIDE.out,
      VGPU_TASK: launch.taskId,
    },
    cpu: launch.cpuMilli / 1000,
    timeLimitMs: launch.timeLimitMs ?? 0,
    ports: launch.ports,
    secrets: launch.secrets.map(({ file, value }) => ({ file, value: value.toString('base64') })),
  };
}

export function checkLaunch(launch: TaskLaunch): void {
  const bad = (what: string, hint: string) => {
    throw new DriverError('BAD_LAUNCH', what, hint);
  };
  if (launch.memoryBytes < 32 * 1024 * 1024)
    bad(`memory of ${launch.memoryBytes} bytes is too little for Python`, 'Ask for 32 MiB or more.');
  if (!(launch.cpuMilli >= 10))
    bad(`${launch.cpuMilli} thousandths of a core is too little`, 'Ask for 0.01 or more.');
  for (const port of launch.ports)
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      bad(`${port} is no TCP port`, 'Ports are 1 to 65535.');
  if (
    launch.command.kind === 'python' &&
    (launch.command.script.startsWith('/') || launch.command.script.split('/').includes('..'))
  ) {
    bad(
      `script "${launch.command.script}" lies outside its folder`,
      'Name it relative to the uploaded folder.',
    );
  }
  for (const { file } of launch.secrets)
    if (!/^[a-zA-Z0-9][a-zA-Z0-9._-]*$/.test(file))
      bad(`"${file}" is no name for a secret's file`, 'Use letters, digits, ".", "_" or "-".');
  if (launch.command.kind === 'exec' && launch.command.argv.length === 0) bad('the command is empty', '');
}

/** Starts a container for one task from nothing. On a throw nothing of it is left. */
export async function startCold(
  context: DockerContext,
  launch: TaskLaunch,
  startedAt: number,
  signal?: AbortSignal,
): Promise<LiveWorker> {
  const key = newKey();
  const plan = outputPlan(launch);
  const paths = await youngFolders(context, key, plan);
  let id: string | undefined;
  try {
    const egressNetwork =
      launch.network === 'egress' ? await ensureEgressNetwork(context.client, context.homeId) : '';
    const name = containerName(launch.workerName, launch.attemptId);
    const spec = containerSpec({
      image: launch.image,
      paths,
      runtimeDir: context.runtime.dir,
      uid: context.folders.uid,
      gid: context.folders.gid,
      labels: { ...launchLabels(launch, context.homeId, key), [LABEL.runtime]: context.runtime.hash },
      cpuMilli: launch.cpuMilli,
      memoryBytes: launch.memoryBytes,
      pidsLimit: launch.pidsLimit ?? DEFAULT_PIDS,
      network: launch.network,
      egressNetwork,
      preload: [],
      runtime: context.ociRuntime,
      dialect: context.dialect,
      grant: launch.grant,
    });
    const [created, staged] = await Promise.allSettled([
      createFetching(context, launch.image, () => context.containers.create(name, spec), signal),
      stageInputs(paths.in, launch),
    ]);
    // Known before anything can fail: what was made is removed then.
    if (created.status === 'fulfilled') id = created.value;
    else throw created.reason;
    if (staged.status === 'rejected') throw staged.reason;
    if (signal?.aborted) throw new DriverError('ABORTED', 'stopped');
    const { dataset } = staged.value;
    const worker = new LiveWorker(context.containers, id, paths);
    const handle = handleOf(launch, { id, name, paths, warm: false, startedAt });
    const record = recordOf(launch, handle, plan.limits);
    writeRecord(paths.record, record);
    worker.record = record;
    await context.containers.start(id, signal);
    await worker.attach();
    await worker.ready();
    await worker.run(orderOf(launch, dataset));
    if (plan.onDisk || !context.folders.canMount) worker.watchOutput();
    return worker;
  } catch (error) {
    if (id) await context.containers.remove(id).catch(() => {});
    await removeFolders(paths, context.folders.canMount);
    throw error;
  } finally {
    context.young.delete(key);
  }
}

/** Creates a container; an image that the engine lacks is fetched from its registry first, where it names one. */
async function createFetching(
  context: DockerContext,
  image: string,
  create: () => Promise<string>,
  signal?: AbortSignal,
): Promise<string> {
  try {
    return await create();
  } catch (error) {
    const missing = error instanceof DriverError && error.code === 'IMAGE_NOT_FOUND';
    if (!missing || !isRemote(image)) throw error;
  }
  await new ImageStore(context.client).pull(image, { signal }).catch((cause: Error) => {
    const reason = cause.message.replaceAll('"', "'");
    throw new DriverError('IMAGE_NOT_FOUND', `no image "${image}" here (${reason})`, '', { cause });
  });
  return create();
}

/** Whether a reference may lie in a registry: not an id, and none of those that vgpu builds. */
export const isRemote = (image: string): boolean =>
  /[/:@]/.test(image) && !/^(vgpu\/|localhost\/vgpu\/|sha256:)/.test(image);

/** Starts a container that imports ahead of need and waits for a task. */
export async function startWarm(
  context: DockerContext,
  image: string,
  limits: { memoryBytes: number; cpuMilli: number },
): Promise<LiveWorker> {
  const key = newKey();
  const paths = await youngFolders(context, key, outputPlan({ memoryBytes: limits.memoryBytes }));
  let id: string | undefined;
  try {
    const spec = containerSpec({
      image,
      paths,
      runtimeDir: context.runtime.dir,
      uid: context.folders.uid,
      gid: context.folders.gid,
      labels: {
        ...baseLabels(context.homeId, key, 'warm'),
        [LABEL.runtime]: context.runtime.hash,
        [LABEL.image]: image,
      },
      ...limits,
      pidsLimit: DEFAULT_PIDS,
      network: 'none',
      egressNetwork: '',
      preload: PRELOAD,
      runtime: context.ociRuntime,
      dialect: context.dialect,
    });
    id = await context.containers.create(`vgpu-warm-${key}`, spec);
    await context.containers.start(id);
    const worker = new LiveWorker(context.containers, id, paths);
    await worker.attach();
    await worker.ready();
    return worker;
  } catch (error) {
    if (id) await context.containers.remove(id).catch(() => {});
    await removeFolders(paths, context.folders.canMount);
    throw error;
  } finally {
    context.young.delete(key);
  }
}

/** Folders that count as young, thus as no orphans, until the caller says otherwise. */
async function youngFolders(
  context: DockerContext,
  key: string,
  plan: ReturnType<typeof outputPlan>,
): Promise<WorkerPaths> {
  context.young.add(key);
  try {
    return await makeFolders(context.folders, key, plan);
  } catch (error) {
    await removeFolders(workerPaths(context.folders, key), context.folders.canMount);
    context.young.delete(key);
    throw error;
  }
}

export function handleOf(
  launch: TaskLaunch,
  c: { id: string; name: string; paths: WorkerPaths; warm: boolean; startedAt: number },
): WorkerHandle {
  return {
    driver: 'docker',
    id: c.id,
    name: c.name,
    attemptId: launch.attemptId,
    taskId: launch.taskId,
    jobId: launch.jobId,
    project: launch.project,
    workerName: launch.workerName,
    ringDir: c.paths.ctl,
    ringPath: c.paths.ring,
    warm: c.warm,
    startedAt: c.startedAt,
  };
}
