import type { jobPreview } from '@vgpu/api';
import type { z } from 'zod';
import type { Resources } from '../resources.ts';
import type { Principal } from './principal.ts';
import type { SubmissionRequest } from './submission.ts';

/** What a submission would do now, task by task. Stores nothing. */
export async function previewJob(
  { submissions, scheduling, engine }: Resources,
  principal: Principal,
  request: SubmissionRequest,
): Promise<z.output<typeof jobPreview>> {
  const { tasks, pending, spec } = await submissions.prepare(principal, request);
  const decisions = scheduling.preview(pending);
  const now = Date.now();
  const warnings: string[] = [];
  if (!engine.connected) warnings.push('The container engine does not answer: nothing starts until it does.');
  if (request.bundle === undefined) warnings.push('Without the uploaded folder the script was not checked.');
  if (spec.network === 'egress') warnings.push('Workers of this job reach the network.');
  return {
    warnings,
    tasks: tasks.map((task) => {
      const decision = decisions.get(task.id);
      const bound = decision?.kind === 'bind' ? decision : undefined;
      const wait = decision?.kind === 'wait' ? decision : undefined;
      return {
        name: task.name,
        dataset: task.dataset,
        node: bound?.node ?? null,
        accelerators: bound?.accelerators.map((share) => share.uuid) ?? [],
        startsAt: bound ? now : (wait?.estimatedStart ?? null),
        waiting: wait
          ? {
              position: wait.position,
              code: wait.code,
              message: wait.message,
              hint: wait.unblock || null,
              estimatedStart: wait.estimatedStart ?? null,
            }
          : null,
      };
    }),
  };
}
