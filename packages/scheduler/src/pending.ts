import type { Isolation, Mode, Qos } from './view.ts';

/** One clause on node labels. `exists` when neither `in` nor `notIn` is given. */
export interface LabelClause {
  readonly key: string;
  readonly in?: readonly string[];
  readonly notIn?: readonly string[];
}

export interface Toleration {
  readonly key: string;
  /** Absent: any value. */
  readonly value?: string;
}

/** All-or-nothing: no member starts unless at least `size` of the members can start in the same plan. */
export interface Gang {
  readonly id: string;
  readonly size: number;
}

/** A task that waits for resources. Units as in the view. */
export interface Pending {
  readonly taskId: string;
  readonly jobId: string;
  readonly project: string;
  /** Leaf of the queue tree. Default: the project's name. */
  readonly queue?: string;
  /** Higher goes first. Default 0. */
  readonly priority?: number;
  readonly submittedAt: number;
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  /** Compute per device: 0..1000; 1000 takes the whole device. Ignored where gpuCount is 0. */
  readonly gpuMilli: number;
  /** Devices wanted, all on one node. 0: CPU only. Fractions of several devices are allowed. */
  readonly gpuCount: number;
  /** vRAM per device in bytes. Default: the same part as of the compute; a whole device brings all of its own. */
  readonly vramBytes?: number;
  /** Acceptable device models; absent or empty: any. */
  readonly models?: readonly string[];
  /** Default `any`. */
  readonly isolation?: Isolation | 'any';
  /** Only devices in this mode. Default: any mode that can carry the request. */
  readonly mode?: Mode;
  /** MIG profile, e.g. `2g.20gb`, or vGPU type. Default: the smallest that holds gpuMilli and vramBytes. */
  readonly profile?: string;
  /** Default `burstable`. */
  readonly qos?: Qos;
  readonly gang?: Gang;
  /** Where several devices are wanted: all within one NVLink domain, PCIe switch or NUMA node. */
  readonly topology?: 'nvlink' | 'pcie' | 'numa';
  readonly nodeSelector?: readonly LabelClause[];
  readonly tolerations?: readonly Toleration[];
  /** Run only here; for tasks whose data or state is bound to one machine. */
  readonly node?: string;
  /** Never place here (e.g. it failed there before). */
  readonly avoidNodes?: readonly string[];
  /** When it must be done, and how long it is thought to run; both are needed for deadline ordering. */
  readonly deadlineAt?: number;
  readonly expectedDurationMs?: number;
  /** Expected speed by model relative to the slowest it accepts, from `Throughput.expected`. */
  readonly throughputByModel?: Readonly<Record<string, number>>;
}
