import type { Duplex } from 'node:stream';

/**
 * The contract between vgpu and whatever runs workers. A driver implements the small required `Driver`;
 * what not every engine can do is an optional capability, announced by `fingerprint().capabilities`.
 * Sizes are bytes, times are milliseconds, CPU is in thousandths of a core, unless a name says otherwise.
 */

/** Labels on everything that vgpu makes in an engine. They, not memory, say what runs. */
export const LABEL = {
  managed: 'dev.vgpu.managed',
  home: 'dev.vgpu.home',
  role: 'dev.vgpu.role',
  task: 'dev.vgpu.task',
  attempt: 'dev.vgpu.attempt',
  job: 'dev.vgpu.job',
  project: 'dev.vgpu.project',
  worker: 'dev.vgpu.worker',
  image: 'dev.vgpu.image',
  runtime: 'dev.vgpu.runtime',
  /** Name of the worker's host folders; never changes, while a warm worker's container is renamed. */
  folder: 'dev.vgpu.folder',
} as const;

export type NetworkMode = 'none' | 'egress';

/** What the device layer hands to a driver: how a slice reaches a container. */
export interface LaunchGrant {
  /** Host device nodes, e.g. `/dev/nvidia0`; `containerPath` defaults to the same path. */
  devices: { path: string; containerPath?: string; permissions?: string }[];
  /** CDI names, e.g. `nvidia.com/gpu=GPU-…`. */
  cdi: string[];
  env: Record<string, string>;
  mounts: { source: string; target: string; readOnly: boolean }[];
  /** Bytes of accelerator memory that may lie in the host's memory and are charged to the container. */
  hostBytes?: number;
}

/** Bounds on what a worker may leave in its output folder. */
export interface OutputLimits {
  bytes: number;
  files: number;
}

/** Program of a worker: a Python script of the bundle, or any command. */
export type WorkerCommand =
  | { kind: 'python'; script: string; args: string[] }
  | { kind: 'exec'; argv: string[] };

/** A value that a worker gets and nobody else: never in labels, logs, records or the engine's configuration. */
export interface LaunchSecret {
  /** Name of the file under /run/secrets: one path component. */
  file: string;
  value: Buffer;
  /** The environment variable that holds it as well; the value is UTF-8 then. */
  env?: string;
}

/** One attempt of a task, as the control plane asks for it. */
export interface TaskLaunch {
  attemptId: string;
  taskId: string;
  jobId: string;
  project: string;
  /** `vgpu-worker-01` within its job. The container's own name gets a suffix that makes it unique. */
  workerName: string;
  /** An image in the engine: name:tag or id. */
  image: string;
  command: WorkerCommand;
  /** Host folder with the script and its neighbours; appears read-only. Absent: an empty one. */
  bundleDir?: string;
  /** Host file; appears read-only as the script's first argument and as VGPU_DATASET. */
  datasetPath?: string;
  /** Name under which the dataset appears; defaults to the file's own name. */
  datasetName?: string;
  /** Column to predict; appears as VGPU_TARGET. */
  target?: string;
  env: Record<string, string>;
  secrets: LaunchSecret[];
  cpuMilli: number;
  memoryBytes: number;
  /** Default 512. */
  pidsLimit?: number;
  /** Milliseconds of running; absent or 0 = none. */
  timeLimitMs?: number;
  /** Default 256 MiB and 10,000 files. */
  outputLimits?: OutputLimits;
  network: NetworkMode;
  /** TCP ports on the worker's own loopback that `connectPort` may reach. */
  ports: number[];
  grant?: LaunchGrant;
}

/** A running (or ended, not yet destroyed) worker. Plain data: can be stored and sent. */
export interface WorkerHandle {
  driver: string;
  /** The engine's id of the container. */
  id: string;
  /** The container's name. */
  name: string;
  attemptId: string;
  taskId: string;
  jobId: string;
  project: string;
  workerName: string;
  /** Host folder of the telemetry ring, on tmpfs. */
  ringDir: string;
  /** Host file of the telemetry ring. */
  ringPath: string;
  /** Whether the worker came out of the warm pool. */
  warm: boolean;
  /** Epoch ms at which the driver was asked to start it. */
  startedAt: number;
}

export type WorkerPhase = 'created' | 'running' | 'exited';

/** What the engine says about one worker, asked now. */
export interface WorkerStatus {
  handle: WorkerHandle;
  phase: WorkerPhase;
  image: string;
  imageId: string;
  createdAt: number;
  exitCode?: number;
  oomKilled?: boolean;
  ports: number[];
  /** PID of the container's first process on the host, while it runs. */
  pid?: number;
  labels: Record<string, string>;
}

/** Why a worker ended. `reason` is decided by the driver from all evidence, most specific first. */
export type ExitReason =
  | 'completed'
  | 'failed'
  | 'oom'
  | 'timeout'
  | 'output-limit'
  | 'stopped'
  | 'signal'
  | 'lost';

export interface WorkerException {
  type: string;
  message: string;
  /** Last lines of the traceback, at most 16 KiB. */
  traceback: string;
}

export interface WorkerTimings {
  /** Asked to start → user code begins. */
  start: number;
  /** User code begins → it ended. */
  run: number;
  /** Ended → everything given back; set once destroyed. */
  teardown?: number;
}

export interface WorkerExit {
  reason: ExitReason;
  exitCode: number;
  oomKilled: boolean;
  /** Name of the signal that ended the program, e.g. `SIGSEGV`. */
  signal?: string;
  exception?: WorkerException;
  timings: WorkerTimings;
  /** One sentence for people. */
  message: string;
}

export type DriverEvent =
  | { type: 'started'; handle: WorkerHandle; at: number }
  | { type: 'exit'; handle: WorkerHandle; at: number; exit: WorkerExit }
  | { type: 'engine'; at: number; connected: boolean; message: string };

export interface WorkerStats {
  at: number;
  /** Total CPU time in ms since start. */
  cpuMs: number;
  memoryBytes: number;
  memoryLimitBytes: number;
  pids: number;
}

export interface CollectedFile {
  /** Relative path with `/`, without `..`; as bytes decoded with replacement when not UTF-8. */
  path: string;
  bytes: number;
  sha256: string;
}

export interface CollectedOutputs {
  files: CollectedFile[];
  bytes: number;
  /** What was left behind, and why; at most 100 entries, `skippedTotal` counts all. */
  skipped: { path: string; why: string }[];
  skippedTotal: number;
  truncated: boolean;
}

export interface ReapResult {
  containers: string[];
  networks: string[];
  folders: string[];
}

export interface DriverFingerprint {
  driver: string;
  healthy: boolean;
  engine: string;
  version: string;
  apiVersion: string;
  cgroup: 'v1' | 'v2' | 'unknown';
  rootless: boolean;
  capabilities: DriverCapabilities;
  /** Bounds that it cannot enforce (`memory`, `processes`, `CPU time`): without VGPU_ALLOW_UNBOUNDED=1 it starts nothing. */
  unbounded?: { bounds: string[]; hint: string };
  /** What limits this engine, for people: e.g. "no seccomp". */
  warnings: string[];
}

export interface DriverCapabilities {
  warmPool: boolean;
  updateLimits: boolean;
  ports: boolean;
  egress: boolean;
  cdi: boolean;
  /** Output bounds are a file system's own (`hard`), or watched (`watched`). */
  outputBounds: 'hard' | 'watched';
}

/** What every driver does. All methods are safe to call again after a crash of either side. */
export interface Driver {
  readonly name: string;
  fingerprint(): Promise<DriverFingerprint>;
  /** Starts one attempt. Throws `DriverError`; on a throw nothing of the attempt is left behind. */
  start(launch: TaskLaunch, signal?: AbortSignal): Promise<WorkerHandle>;
  /** Asks the program to end, then kills it after `graceMs` (default 5000). Resolves when it has ended. */
  stop(handle: WorkerHandle, options?: { graceMs?: number }): Promise<void>;
  inspect(handle: WorkerHandle): Promise<WorkerStatus | undefined>;
  /** All workers of this home, asked from the engine by label; never from memory. */
  list(): Promise<WorkerStatus[]>;
  /** After a restart: takes up every worker the engine still has, watches it, and emits its exit. */
  recover(): Promise<WorkerHandle[]>;
  /** Subscribes to events; every exit is emitted exactly once per process. Returns the unsubscriber. */
  onEvent(listener: (event: DriverEvent) => void): () => void;
  /** Waits for the worker's end. */
  wait(handle: WorkerHandle): Promise<WorkerExit>;
  stats(handle: WorkerHandle): Promise<WorkerStats | undefined>;
  /** Copies what the program left in its output folder into `intoDir`. The tree is treated as hostile. */
  collectOutputs(handle: WorkerHandle, intoDir: string, limits?: OutputLimits): Promise<CollectedOutputs>;
  /** Kills and removes everything of a worker. Idempotent; complete when it resolves. Ms taken. */
  destroy(handle: WorkerHandle): Promise<{ teardownMs: number }>;
  /** Destroys what belongs to this home and to none of the attempts named. */
  reap(keepAttempts: ReadonlySet<string>): Promise<ReapResult>;
  /** Gives back everything of this home, networks included: before an uninstall. */
  purge(): Promise<ReapResult>;
  close(): Promise<void>;
}

/** Optional: limits changed while a worker runs. */
export interface UpdatesLimits {
  updateLimits(
    handle: WorkerHandle,
    limits: { cpuMilli?: number; memoryBytes?: number; pidsLimit?: number },
  ): Promise<void>;
}

/** Optional: a stream to a TCP port on the worker's loopback. */
export interface ConnectsPorts {
  connectPort(handle: WorkerHandle, port: number): Promise<Duplex>;
}

/** Optional: workers started ahead of need. */
export interface KeepsWarm {
  configurePool(pool: WarmPoolConfig): Promise<void>;
  poolStatus(): WarmPoolStatus;
}

export interface WarmPoolConfig {
  /** Image whose workers are kept warm; empty = no pool. */
  image: string;
  /** Idle workers to keep ready. */
  size: number;
  /** Bytes of memory that idle workers may be expected to hold together. */
  memoryBudgetBytes: number;
}

export interface WarmPoolStatus {
  ready: number;
  starting: number;
  adopted: number;
  discarded: number;
  size: number;
}

export function canUpdateLimits(driver: Driver): driver is Driver & UpdatesLimits {
  return 'updateLimits' in driver;
}
export function canConnectPorts(driver: Driver): driver is Driver & ConnectsPorts {
  return 'connectPort' in driver;
}
export function canKeepWarm(driver: Driver): driver is Driver & KeepsWarm {
  return 'configurePool' in driver;
}
