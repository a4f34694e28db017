import type { Job, Task } from '@vgpu/api';
import { VgpuError } from '@vgpu/core';

/**
 * A task of a job by name, worker, number (1 is the first) or start of its id.
 * @throws VgpuError `NOT_FOUND` or `AMBIGUOUS`.
 */
export function taskOf(job: Job, text: string): Task {
  const exact = job.tasks.find(
    (task) => [task.id, task.name, task.worker].includes(text) || String(task.index + 1) === text,
  );
  if (exact) return exact;
  const found = job.tasks.filter((task) => task.id.startsWith(text) || task.name.startsWith(text));
  if (found.length > 1) throw new VgpuError('AMBIGUOUS', { id: text, count: found.length, what: 'task' });
  if (!found[0])
    throw new VgpuError('NOT_FOUND', { what: `task of ${job.name}`, id: text, list: `show ${job.id}` });
  return found[0];
}
