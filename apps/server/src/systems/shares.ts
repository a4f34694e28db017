import { type JobSpec, VgpuError } from '@vgpu/core';
import type { Pending, PodShape } from '@vgpu/scheduler';
import type { JobTable, TaskTable } from '@vgpu/store';
import { type RunHistory, workOf } from './run-history.ts';

/** GPUs of a request: below one a share of one device, above one only whole devices. */
export function deviceCount(gpuMilli: number): { gpuCount: number; gpuMilli: number } {
  if (gpuMilli === 0) return { gpuCount: 0, gpuMilli: 0 };
  if (gpuMilli <= 1000) return { gpuCount: 1, gpuMilli };
  if (gpuMilli % 1000 !== 0) {
    throw new VgpuError('BAD_SPEC', {
      path: 'resources.gpu',
      problem: `${gpuMilli / 1000} is more than one GPU but no whole number of them`,
    });
  }
  return { gpuCount: gpuMilli / 1000, gpuMilli: 1000 };
}

/** What every task of a job asks for. */
export function shapeOf({ resources }: JobSpec): PodShape {
  return { cpuMilli: resources.cpu, models: resources.models, ...deviceCount(resources.gpu) };
}

/** A queued task as the scheduler sees it. */
export function pendingOf(
  task: Pick<TaskTable, 'id' | 'queued_at' | 'idx' | 'dataset_version'>,
  job: Pick<JobTable, 'id' | 'project' | 'priority' | 'script' | 'name'>,
  spec: JobSpec,
  history: RunHistory,
): Pending {
  const { resources } = spec;
  const devices = deviceCount(resources.gpu);
  const work = workOf(job, task);
  const throughputByModel = devices.gpuCount > 0 ? history.throughput(work) : undefined;
  return {
    taskId: task.id,
    jobId: job.id,
    project: job.project,
    priority: job.priority,
    // Tasks of one job are equally old: fractions of a millisecond keep them in their order.
    submittedAt: task.queued_at + task.idx / 1024,
    cpuMilli: resources.cpu,
    memoryBytes: resources.memory,
    ...devices,
    ...(resources.vram > 0 ? { vramBytes: Math.ceil(resources.vram / Math.max(1, devices.gpuCount)) } : {}),
    models: resources.models,
    isolation: resources.isolation,
    qos: resources.qos,
    expectedDurationMs: history.expected(work, spec.limits.time),
    ...(throughputByModel ? { throughputByModel } : {}),
  };
}
