import { formatBytes } from '@vgpu/core';
import type { AcceleratorView, Pending } from '@vgpu/scheduler';

const gpus = (milli: number): string => `${milli / 1000} GPU${milli === 1000 ? '' : 's'}`;

/**
 * What is missing among the accelerators for a task that can never run here, in words that name what there is;
 * undefined where they are not the reason.
 */
export function acceleratorShortage(task: Pending, devices: readonly AcceleratorView[]): string | undefined {
  if (task.gpuCount === 0) return undefined;
  if (devices.length === 0) {
    return `it asks for ${gpus(task.gpuCount * task.gpuMilli)}, and there is no accelerator here (\`vgpu doctor\` says what was looked for)`;
  }
  const models = [...new Set(devices.map((device) => device.model))].join(', ');
  if (devices.length < task.gpuCount) {
    return `it asks for ${task.gpuCount} accelerators, and there ${devices.length === 1 ? 'is 1' : `are ${devices.length}`} (${models})`;
  }
  const suitable = devices.filter((device) => !task.models?.length || task.models.includes(device.model));
  if (suitable.length === 0) {
    return `it asks for the model ${task.models!.join(' or ')}, and there is ${models}`;
  }
  const most = Math.max(...suitable.map((device) => device.vramBytes));
  if ((task.vramBytes ?? 0) > most) {
    return `it asks for ${formatBytes(task.vramBytes!)} of accelerator memory, and the most that one accelerator has is ${formatBytes(most)}`;
  }
  if (task.isolation === 'hard' && (task.gpuMilli < 1000 || suitable.every((device) => device.alwaysSoft))) {
    return suitable.every((device) => device.alwaysSoft)
      ? `it asks for hard isolation, which ${models} does not have: slices of it are kept apart by the limiter`
      : 'it asks for hard isolation, which here only a whole accelerator has (--gpu 1)';
  }
  return undefined;
}
