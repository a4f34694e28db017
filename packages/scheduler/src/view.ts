/**
 * The immutable view of a cluster that the scheduler decides over.
 *
 * Units everywhere: CPU in milli-cores, memory and vRAM in bytes, compute in milli-GPU (1000 = one whole
 * device), times in milliseconds of whatever clock the caller uses. Nothing in this package reads a clock.
 */

/** How an accelerator is shared. `whole` devices are handed out by `passthrough`; fractions need the others. */
export type Mode = 'passthrough' | 'shared' | 'mig' | 'vgpu' | 'mig-vgpu' | 'remote';

/** `hard`: a bound enforced by hardware (whole device, MIG, vGPU); `soft`: enforced by the limiter. */
export type Isolation = 'hard' | 'soft';

/** `guaranteed` bounds hold, `burstable` has a guarantee plus idle share, `best-effort` only idle share. */
export type Qos = 'guaranteed' | 'burstable' | 'best-effort';

export type Health = 'healthy' | 'degraded' | 'unhealthy' | 'draining';

/** One MIG instance that exists on a device now. `start` is the memory slice index of its placement. */
export interface MigInstance {
  readonly profile: string;
  readonly start: number;
  /** Task that holds it; absent when the instance is free. */
  readonly taskId?: string;
}

/** One device as the scheduler sees it. */
export interface AcceleratorView {
  readonly uuid: string;
  readonly model: string;
  readonly mode: Mode;
  /** Default `healthy`. Only `healthy` and `degraded` devices take new work; `degraded` ones rank last. */
  readonly health?: Health;
  /** Capacity: 1000 × deviceCoreScaling. */
  readonly milli: number;
  readonly freeMilli: number;
  /** Capacity × deviceMemoryScaling. */
  readonly vramBytes: number;
  readonly freeVramBytes: number;
  /** How many more tasks may share it (deviceSplitCount less the tasks on it). Default: unlimited. */
  readonly freeSlots?: number;
  /** What it can enforce. Default: `hard` for passthrough, mig, vgpu and mig-vgpu; `soft` for shared and remote.
   * A whole device taken alone always counts as `hard`, except over `remote`. */
  readonly isolation?: Isolation;
  /** Even all of it is only softly isolated, as a CPU behind OpenCL is: it never satisfies `hard`. Default false. */
  readonly alwaysSoft?: boolean;
  /** Tasks of one project at a time, as under one MPS server: that project, null while it is free for any. Absent: of all. */
  readonly oneProject?: string | null;
  /** Devices with the same value reach each other over NVLink. */
  readonly nvlinkGroup?: string;
  /** PCIe root or switch. */
  readonly pcieGroup?: string;
  readonly numaNode?: number;
  /** Mode `mig` and `mig-vgpu`: the instances that exist now. */
  readonly mig?: readonly MigInstance[];
  /** Mode `vgpu`: the type its instances are fixed to (time-sliced vGPU is homogeneous), absent when empty. */
  readonly vgpuType?: string;
  /** Mode `vgpu`: types it may be cut into, each with the vRAM of one instance and how many fit. */
  readonly vgpuTypes?: readonly VgpuType[];
  /** Watts at idle and at full load, for energy-aware ranking. */
  readonly power?: { readonly idleWatts: number; readonly maxWatts: number };
}

export interface VgpuType {
  readonly name: string;
  readonly vramBytes: number;
  readonly maxInstances: number;
}

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: 'no-schedule' | 'prefer-no-schedule';
}

export interface NodeView {
  readonly id: string;
  readonly cpuMilli: number;
  readonly freeCpuMilli: number;
  readonly memoryBytes: number;
  readonly freeMemoryBytes: number;
  readonly accelerators: readonly AcceleratorView[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly Taint[];
  /** False: no new work (cordoned, lost). Default true. */
  readonly schedulable?: boolean;
}

/** What a placed task holds of one device. */
export interface AcceleratorShare {
  readonly uuid: string;
  readonly milli: number;
  readonly vramBytes: number;
  /** The MIG instance or vGPU type, where the device's mode asks for one. */
  readonly profile?: string;
  /** MIG: memory slice where the instance starts. */
  readonly start?: number;
}

/** A task that holds resources now (SCHEDULED … RUNNING). */
export interface RunningTask {
  readonly taskId: string;
  readonly jobId: string;
  readonly project: string;
  readonly queue?: string;
  readonly priority: number;
  readonly qos: Qos;
  readonly node: string;
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly accelerators: readonly AcceleratorShare[];
  readonly startedAt: number;
  /** When it is expected to end, from its time limit or history. Used for reservations and estimates. */
  readonly expectedEndAt?: number;
  /** It can be checkpointed, so preempting or moving it loses little. Default false. */
  readonly checkpointable?: boolean;
  /** When its last checkpoint was taken; work since then is lost by a preemption. */
  readonly lastCheckpointAt?: number;
  /** False: never preempt or move it. Default true. */
  readonly preemptible?: boolean;
  readonly gang?: string;
  /** Progress per second relative to the reference model, as observed; feeds throughput-aware ranking. */
  readonly throughput?: number;
}

/** Amounts that a quota bounds; an absent field is not bounded. */
export interface Quota {
  readonly gpuMilli?: number;
  readonly cpuMilli?: number;
  readonly memoryBytes?: number;
}

/**
 * A node of the queue tree. Tasks belong to leaves; a project without a queue of its name gets one under the
 * root with no quota and weight 1.
 */
export interface QueueView {
  readonly id: string;
  readonly parent?: string;
  /** What it deserves: always available to it, lent out while idle. Absent: none deserved. */
  readonly quota?: Quota;
  /** Hard ceiling, borrowed amounts included. Absent: none. */
  readonly limit?: Quota;
  /** Its share of what others leave idle, relative to its siblings. Default 1; 0 never borrows. */
  readonly overQuotaWeight?: number;
}

/** Everything that the scheduler may know. Treat as frozen; `changeView` makes the next one. */
export interface View {
  /** Grows by one with every change; a plan names the version that it was made for. */
  readonly version: number;
  readonly nodes: readonly NodeView[];
  readonly running: readonly RunningTask[];
  readonly queues?: readonly QueueView[];
}
