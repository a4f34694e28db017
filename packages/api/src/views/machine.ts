import { z } from 'zod';
import { progress, time } from './common.ts';

export const capacity = z.object({
  cpu: z.object({ total: z.int(), used: z.int() }).describe('thousandths of a core'),
  memory: z.object({ total: z.int(), used: z.int() }).describe('bytes'),
  gpu: z.object({ total: z.int(), used: z.int() }).describe('thousandths of a GPU'),
  vram: z.object({ total: z.int(), used: z.int() }).describe('bytes'),
  workers: z.object({ running: z.int(), warm: z.int() }),
});

export const finding = z.object({
  name: z.string(),
  level: z.enum(['ok', 'warn', 'fail']),
  text: z.string(),
  advice: z.string().nullable(),
});
export const health = z.object({
  status: z.enum(['ok', 'degraded', 'starting']),
  version: z.string(),
  startedAt: time,
  findings: z.array(finding),
});

export const service = z.object({
  name: z.string(),
  kind: z.enum(['server', 'engine', 'worker', 'warm']),
  job: z.string().nullable(),
  task: z.string().nullable(),
  image: z.string(),
  tag: z.string(),
  created: time.nullable(),
  ports: z.array(z.string()),
  state: z.string(),
  /** Cores in use now. */
  cpu: z.number().nullable(),
  memory: z.int().nullable(),
  memoryLimit: z.int().nullable(),
  slices: z.array(z.object({ accelerator: z.string(), milli: z.int(), bytes: z.int() })),
  lastLine: z.string().nullable(),
});

export const image = z.object({
  id: z.string(),
  tags: z.array(z.string()),
  /** Short name that a job spec may use, such as `sklearn`. */
  name: z.string().nullable(),
  created: time.nullable(),
  bytes: z.int(),
  managed: z.boolean(),
  inUse: z.int(),
});

export const slice = z.object({
  id: z.string(),
  accelerator: z.string(),
  task: z.string().nullable(),
  job: z.string().nullable(),
  worker: z.string().nullable(),
  mode: z.string(),
  milli: z.int(),
  bytes: z.int(),
  isolation: z.enum(['soft', 'hard']),
  /** What keeps it within its bounds. */
  enforcement: z.enum([
    'limiter',
    'limiter + driver',
    'limiter + kernel',
    'limiter + MPS',
    'limiter + MPS + driver',
    'limiter + MPS + kernel',
    'MIG',
    'vGPU',
    'whole device',
  ]),
  /** Live, from the ledger: share of device time in the last second (thousandths), bytes held. */
  usedMilli: z.number().nullable(),
  usedBytes: z.int().nullable(),
  /** Over-commitment: bytes in use and of them on the device, moved to and from it so far; longest turn now. */
  paging: z
    .object({
      workingSetBytes: z.int(),
      residentBytes: z.int(),
      pagedInBytes: z.int(),
      pagedOutBytes: z.int(),
      quantumMs: z.number(),
    })
    .nullish(),
});

export const accelerator = z.object({
  uuid: z.string(),
  index: z.int(),
  vendor: z.string(),
  model: z.string(),
  kind: z.enum(['gpu', 'cpu', 'fpga', 'other']),
  host: z.string(),
  provider: z.string(),
  mode: z.string(),
  pool: z.string(),
  health: z.enum(['healthy', 'unhealthy', 'draining']),
  healthReason: z.string().nullable(),
  memory: z.int(),
  computeUnits: z.int().nullable(),
  /** Live readings; null where the device has none. */
  utilisation: z.number().nullable().describe('percent'),
  memoryUsed: z.int().nullable(),
  temperature: z.number().nullable().describe('degrees Celsius'),
  power: z.number().nullable().describe('watts'),
  allocatedMilli: z.int(),
  allocatedBytes: z.int(),
  /** Whether new slices run under MPS, and why not; null where the pool does not ask for it. */
  mps: z.object({ use: z.boolean(), why: z.string().nullable() }).nullable(),
  slices: z.array(slice),
});
export type Accelerator = z.output<typeof accelerator>;

export const acceleratorHistory = z.object({
  uuid: z.string(),
  time: z.array(time),
  utilisation: z.array(z.number().nullable()),
  memoryUsed: z.array(z.number().nullable()),
  temperature: z.array(z.number().nullable()),
  power: z.array(z.number().nullable()),
});

export const pool = z.object({
  name: z.string(),
  accelerators: z.array(z.string()),
  deviceSplitCount: z.int().min(1).max(1000),
  deviceCoreScaling: z.number().min(1).max(100),
  deviceMemoryScaling: z.number().min(1).max(100),
  /** Whether slices run under NVIDIA's MPS: never, where it can be had, or else not at all. */
  mps: z.enum(['off', 'auto', 'required']),
  /** Whether tasks of different projects may be clients of one MPS server. */
  mpsAcrossProjects: z.boolean(),
});

export const topology = z.object({
  takenAt: time,
  host: z.object({ name: z.string(), cpus: z.int(), memory: z.int(), engine: z.string().nullable() }),
  services: z.array(service),
  accelerators: z.array(accelerator),
});
export type Topology = z.output<typeof topology>;

export const queueEntry = z.object({
  position: z.int(),
  task: z.string(),
  job: z.string(),
  jobName: z.string(),
  name: z.string(),
  priority: z.int(),
  submittedAt: time,
  attempts: z.int(),
  why: z.string(),
  hint: z.string().nullable(),
  estimatedStart: time.nullable(),
});

/** One step of an image build, as it streams. */
export const buildEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('step'), step: z.string(), progress: progress.nullable() }),
  z.object({ type: z.literal('output'), text: z.string() }),
  z.object({ type: z.literal('done'), image: z.string(), id: z.string() }),
  z.object({
    type: z.literal('error'),
    error: z.object({ code: z.string(), message: z.string(), hint: z.string() }),
  }),
]);
export type BuildEvent = z.output<typeof buildEvent>;
