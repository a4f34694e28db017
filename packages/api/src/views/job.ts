import { jobStates, qosClass, taskStates } from '@vgpu/core';
import { z } from 'zod';
import { pageOf, pageQuery, progress, reason, time } from './common.ts';

export const taskTimings = z.object({
  /** Milliseconds from submission to placement. */
  queued: z.number().nullable(),
  /** From placement to the first line of user code. */
  start: z.number().nullable(),
  /** From there to the end of the script. */
  run: z.number().nullable(),
  /** From the end of the script to everything given back. */
  teardown: z.number().nullable(),
});

export const confusion = z.object({ labels: z.array(z.string()), matrix: z.array(z.array(z.number())) });

export const waiting = z.object({
  /** 1 is next. */
  position: z.int(),
  code: z.string(),
  message: z.string(),
  hint: z.string().nullable(),
  estimatedStart: time.nullable(),
});

export const sliceView = z.object({
  accelerator: z.string(),
  model: z.string(),
  mode: z.string(),
  milli: z.int(),
  bytes: z.int(),
  isolation: z.enum(['soft', 'hard']),
  /** What keeps it within its bounds; absent for attempts of earlier versions. */
  enforcement: z.string().optional(),
});

export const task = z.object({
  id: z.string(),
  job: z.string(),
  index: z.int(),
  /** `<dataset>` or `task-01`: unique within the job. */
  name: z.string(),
  /** `vgpu-worker-01` within its job; null until placed. */
  worker: z.string().nullable(),
  container: z.string().nullable(),
  /** Name of the dataset, with its version. */
  dataset: z.string().nullable(),
  datasetVersion: z.string().nullable(),
  target: z.string().nullable(),
  state: z.enum(taskStates),
  reason: reason.nullable(),
  exitCode: z.int().nullable(),
  attempts: z.int(),
  /** Latest value of each metric; scores under their canonical names (mse, accuracy, f1, …). */
  metrics: z.record(z.string(), z.number()),
  confusion: confusion.nullable(),
  progress: progress.nullable(),
  /** Last line printed, control characters removed. */
  lastLine: z.string().nullable(),
  lines: z.int(),
  droppedBytes: z.int(),
  timings: taskTimings,
  slices: z.array(sliceView),
  waiting: waiting.nullable(),
  ports: z.array(z.int()),
  files: z.int(),
  submittedAt: time,
  startedAt: time.nullable(),
  endedAt: time.nullable(),
});
export type Task = z.output<typeof task>;

export const jobResources = z.object({
  /** Thousandths of a GPU. */
  gpu: z.int(),
  vram: z.int(),
  /** Thousandths of a core. */
  cpu: z.int(),
  memory: z.int(),
  isolation: z.enum(['any', 'soft', 'hard']),
  qos: qosClass,
  models: z.array(z.string()),
});

export const jobSummary = z.object({
  id: z.string(),
  name: z.string(),
  project: z.string(),
  user: z.string(),
  state: z.enum(jobStates),
  script: z.string(),
  image: z.string(),
  priority: z.int(),
  counts: z.record(z.enum(taskStates), z.int()),
  tasksTotal: z.int(),
  /** Mean fraction of its tasks, 0 to 1. */
  fraction: z.number(),
  primary: z.string().nullable(),
  goal: z.enum(['maximize', 'minimize']).nullable(),
  best: z.object({ task: z.string(), name: z.string(), value: z.number() }).nullable(),
  resources: jobResources,
  submittedAt: time,
  startedAt: time.nullable(),
  endedAt: time.nullable(),
});
export type JobSummary = z.output<typeof jobSummary>;

export const job = jobSummary.extend({
  tasks: z.array(task),
  /** The spec as it was stored: with defaults, sizes in bytes, times in milliseconds, shares in thousandths. */
  spec: z.record(z.string(), z.unknown()),
  bundle: z.string(),
});
export type Job = z.output<typeof job>;

export const jobPage = pageOf(jobSummary);
export const jobQuery = pageQuery.extend({
  state: z.enum(jobStates).optional(),
  search: z.string().optional(),
  sort: z.enum(['submittedAt', 'name', 'state', 'endedAt', 'priority']).default('submittedAt'),
  order: z.enum(['asc', 'desc']).default('desc'),
});

/** Body of a submission: the spec as the user wrote it; `data[].dataset` names imported datasets. */
export const submission = z.object({
  spec: z.record(z.string(), z.unknown()),
  /** Content hash of the uploaded folder, from PUT /v1/bundles/:hash. */
  bundle: z.string(),
});

/** What a submission would do, without doing it. */
export const jobPreview = z.object({
  tasks: z.array(
    z.object({
      name: z.string(),
      dataset: z.string().nullable(),
      /** Where it would run, null where it must wait. */
      node: z.string().nullable(),
      accelerators: z.array(z.string()),
      startsAt: time.nullable(),
      waiting: waiting.nullable(),
    }),
  ),
  warnings: z.array(z.string()),
});

export const metricsTable = z.object({
  job: z.string(),
  primary: z.string().nullable(),
  goal: z.enum(['maximize', 'minimize']).nullable(),
  columns: z.array(z.string()),
  rows: z.array(
    z.object({
      task: z.string(),
      name: z.string(),
      dataset: z.string().nullable(),
      state: z.enum(taskStates),
      values: z.record(z.string(), z.number().nullable()),
      best: z.boolean(),
    }),
  ),
});

export const series = z.object({
  name: z.string(),
  /** Step of each point where the script gave one, else its ordinal. */
  step: z.array(z.number()),
  /** Milliseconds since 1970. */
  time: z.array(z.number()),
  value: z.array(z.number()),
  /** Points before decimation. */
  total: z.int(),
});
export type Series = z.output<typeof series>;

export const outputFile = z.object({ path: z.string(), bytes: z.int(), modifiedAt: time, type: z.string() });
/** What could not be kept of a task's output, and why. */
export const outputFiles = z.object({
  items: z.array(outputFile),
  refused: z.array(z.object({ path: z.string(), why: z.string() })),
});
