import { LABEL, type LaunchGrant, type NetworkMode, type OutputLimits, type TaskLaunch } from '../types.ts';
import type { EngineDialect } from './engine-dialect.ts';
import type { WorkerPaths } from './worker-folders.ts';

/** Where a worker's folders appear inside it. */
export const INSIDE = {
  runtime: '/vgpu/runtime',
  in: '/vgpu/in',
  ctl: '/vgpu/ctl',
  out: '/vgpu/out',
  secrets: '/run/secrets',
} as const;

export const DEFAULT_PIDS = 512;
const DEFAULT_OUT: OutputLimits = { bytes: 256 * 1024 * 1024, files: 10_000 };
const SHM_BYTES = 256 * 1024 * 1024;
const TMP_FILES = 100_000;
/** Sixteen secrets of 64 KiB, and as much again. */
const SECRETS_BYTES = 2 * 1024 * 1024;
/** Docker's CPU period in µs; a quota is a share of it. */
export const CPU_PERIOD_US = 100_000;

/** Modules that a warm worker imports ahead; what most scikit-learn scripts start with. */
export const PRELOAD = [
  'numpy',
  'pandas',
  'scipy.sparse',
  'scipy.stats',
  'threadpoolctl',
  'joblib',
  'sklearn',
  'sklearn.base',
  'sklearn.compose',
  'sklearn.datasets',
  'sklearn.decomposition',
  'sklearn.ensemble',
  'sklearn.feature_selection',
  'sklearn.impute',
  'sklearn.linear_model',
  'sklearn.metrics',
  'sklearn.model_selection',
  'sklearn.neighbors',
  'sklearn.neural_network',
  'sklearn.pipeline',
  'sklearn.preprocessing',
  'sklearn.svm',
  'sklearn.tree',
  'matplotlib.pyplot',
  'vgpu',
];

export interface ContainerSettings {
  image: string;
  paths: WorkerPaths;
  runtimeDir: string;
  uid: number;
  gid: number;
  labels: Record<string, string>;
  cpuMilli: number;
  memoryBytes: number;
  pidsLimit: number;
  network: NetworkMode;
  egressNetwork: string;
  preload: string[];
  /** OCI runtime registered with the engine; undefined = its default. */
  runtime?: string;
  dialect: EngineDialect;
  grant?: LaunchGrant;
}

/** The engine's request for one worker: every line of the isolation contract is visible here. */
export function containerSpec(s: ContainerSettings): Record<string, unknown> {
  const bind = (source: string, target: string, readOnly: boolean) => ({
    Type: 'bind',
    Source: source,
    Target: target,
    ReadOnly: readOnly,
    BindOptions: { Propagation: 'rprivate' },
  });
  const env: Record<string, string> = {
    HOME: '/tmp',
    LANG: 'C.UTF-8',
    PYTHONUNBUFFERED: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONPATH: INSIDE.runtime,
    MPLBACKEND: 'module://vgpu_mpl',
    MPLCONFIGDIR: '/tmp/matplotlib',
    VGPU_CTL: INSIDE.ctl,
    VGPU_OUTPUT: INSIDE.out,
    ...(s.preload.length > 0 ? { VGPU_PRELOAD: s.preload.join(',') } : {}),
    ...s.grant?.env,
  };
  return {
    Image: s.image,
    Entrypoint: ['python3', '-u', `${INSIDE.runtime}/supervisor.py`],
    Cmd: [],
    User: `${s.uid}:${s.gid}`,
    WorkingDir: '/',
    Env: Object.entries(env).map(([k, v]) => `${k}=${v}`),
    Labels: s.labels,
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    OpenStdin: false,
    // Without a network there is no sandbox to set up: the runtime's own empty namespace, with its loopback.
    NetworkDisabled: s.network === 'none',
    HostConfig: {
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      Privileged: false,
      SecurityOpt: ['no-new-privileges:true', `seccomp=${s.dialect.seccomp}`],
      ...limitsOf(s),
      NetworkMode: s.network === 'none' ? 'none' : s.egressNetwork,
      IpcMode: 'private',
      PidMode: '',
      ...(s.dialect.userns ? { UsernsMode: s.dialect.userns } : {}),
      Tmpfs: {
        '/tmp': `rw,nosuid,nodev,exec,${s.dialect.tmpfs({ bytes: s.memoryBytes, files: TMP_FILES, mode: '1777' })}`,
        // Empty until the supervisor fills it; nothing of it is ever on a disk, and it ends with the container.
        [INSIDE.secrets]: `rw,nosuid,nodev,noexec,${s.dialect.tmpfs({ bytes: SECRETS_BYTES, files: 64, mode: '0700', owner: s })}`,
      },
      ShmSize: Math.min(SHM_BYTES, s.memoryBytes),
      Mounts: [
        bind(s.runtimeDir, INSIDE.runtime, true),
        bind(s.paths.in, INSIDE.in, true),
        bind(s.paths.ctl, INSIDE.ctl, false),
        bind(s.paths.out, INSIDE.out, false),
        ...(s.grant?.mounts ?? []).map((m) => bind(m.source, m.target, m.readOnly)),
      ],
      Devices: (s.grant?.devices ?? []).map((d) => ({
        PathOnHost: d.path,
        PathInContainer: d.containerPath ?? d.path,
        CgroupPermissions: d.permissions ?? 'rw',
      })),
      ...(s.grant?.cdi.length ? { DeviceRequests: [{ Driver: 'cdi', DeviceIDs: s.grant.cdi }] } : {}),
      Ulimits: [
        { Name: 'core', Soft: 0, Hard: 0 },
        // Lower than engines' own, so that it can be set by one that may not raise limits.
        { Name: 'nofile', Soft: 4096, Hard: 4096 },
        ...s.dialect.ulimits,
      ],
      // Output goes through the ring; the engine keeps none of it.
      LogConfig: { Type: 'none', Config: {} },
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
      Init: false,
      ...(s.runtime ? { Runtime: s.runtime } : {}),
    },
  };
}

/** Bounds in the engine's words. Swap equals memory: none beyond it. */
export function limitsOf(l: {
  cpuMilli: number;
  memoryBytes: number;
  pidsLimit: number;
}): Record<string, number> {
  return {
    Memory: l.memoryBytes,
    MemorySwap: l.memoryBytes,
    CpuPeriod: CPU_PERIOD_US,
    CpuQuota: cpuQuotaUs(l.cpuMilli),
    PidsLimit: l.pidsLimit,
  };
}

/** Thousandths of a core → µs per period. The kernel refuses less than 1 ms. */
export function cpuQuotaUs(cpuMilli: number): number {
  return Math.max(1000, Math.round((cpuMilli * CPU_PERIOD_US) / 1000));
}

/**
 * Bounds on outputs, and where they go. Files in memory count as the worker's memory, so a small worker gets a
 * smaller folder by default, and one that asks for more than half its memory gets a watched folder on disk.
 */
export function outputPlan(launch: Pick<TaskLaunch, 'memoryBytes' | 'outputLimits'>): {
  limits: OutputLimits;
  onDisk: boolean;
} {
  const limits = launch.outputLimits ?? {
    ...DEFAULT_OUT,
    bytes: Math.min(DEFAULT_OUT.bytes, Math.floor(launch.memoryBytes / 4)),
  };
  return { limits, onDisk: limits.bytes > launch.memoryBytes / 2 };
}

export function launchLabels(launch: TaskLaunch, homeId: string, key: string): Record<string, string> {
  return {
    ...baseLabels(homeId, key, 'worker'),
    [LABEL.task]: launch.taskId,
    [LABEL.attempt]: launch.attemptId,
    [LABEL.job]: launch.jobId,
    [LABEL.project]: launch.project,
    [LABEL.worker]: launch.workerName,
    [LABEL.image]: launch.image,
  };
}

export function baseLabels(homeId: string, key: string, role: 'worker' | 'warm'): Record<string, string> {
  return { [LABEL.managed]: 'true', [LABEL.home]: homeId, [LABEL.role]: role, [LABEL.folder]: key };
}
