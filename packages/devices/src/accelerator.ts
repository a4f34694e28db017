/** How an accelerator is shared (DESIGN.md, section 2). */
export type Mode = 'passthrough' | 'shared' | 'mig' | 'vgpu' | 'mig-vgpu' | 'remote';

export type Vendor = 'nvidia' | 'amd' | 'intel' | 'other';

/** One physical device of this host, as discovery finds it. */
export interface Accelerator {
  /** Stable over restarts and driver upgrades. NVIDIA's own `GPU-…`; `OCL-…` for OpenCL devices. */
  readonly uuid: string;
  /** Ordinal within its provider. */
  readonly index: number;
  readonly provider: 'nvidia' | 'opencl';
  readonly vendor: Vendor;
  readonly model: string;
  readonly kind: 'gpu' | 'cpu' | 'fpga' | 'other';
  readonly host: string;
  /** Bytes of device memory. */
  readonly memory: number;
  /** SMs, compute units; null where unknown. */
  readonly computeUnits: number | null;
  readonly driverVersion: string | null;
  readonly pciBusId: string | null;
  readonly numaNode: number | null;
  /** NVIDIA: whether MIG is on now; null where the device cannot do it. */
  readonly migEnabled: boolean | null;
  /** NVIDIA: minor number of /dev/nvidia<minor>. */
  readonly minor: number | null;
}

/** Live figures of one device; null where it has none. */
export interface Reading {
  readonly uuid: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Percent of time that a kernel ran. */
  readonly utilisation: number | null;
  /** Bytes. */
  readonly memoryUsed: number | null;
  /** Degrees Celsius. */
  readonly temperature: number | null;
  /** Watts. */
  readonly power: number | null;
  readonly processes: readonly { readonly pid: number; readonly memory: number | null }[];
}

export type Health = 'healthy' | 'unhealthy' | 'draining';

/** What a provider found wrong (or well again) with a device. */
export interface HealthReport {
  readonly uuid: string;
  readonly health: Health;
  readonly reason: string | null;
  /** It may be well again by itself: once it answers for a while. Default: an administrator has to say so. */
  readonly recovers?: boolean;
}
