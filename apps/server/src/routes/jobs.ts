import type { routes } from '@vgpu/api';
import { VgpuError } from '@vgpu/core';
import type { Handlers } from '../http/registrar.ts';
import type { Resources } from '../resources.ts';
import { previewJob } from '../systems/preview-job.ts';
import { exportTable, scoreTable } from '../systems/score-table.ts';

const MAX_KEY = 255;

function idempotencyKey(value: string | string[] | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value.length > 0 && value.length <= MAX_KEY) return value;
  throw new VgpuError('BAD_REQUEST', { problem: `Idempotency-Key takes 1 to ${MAX_KEY} characters` });
}

export function jobRoutes(resources: Resources): Handlers<typeof routes.jobs> {
  const { actions, queries } = resources;
  return {
    list: ({ principal, query }) => queries.list(principal.project, query!),
    submit: async ({ principal, body, request }) => {
      const key = idempotencyKey(request.headers['idempotency-key']);
      const job = await actions.submit(principal, body, key);
      return queries.job(principal.project, job);
    },
    preview: ({ principal, body }) => previewJob(resources, principal, body),
    get: ({ principal, params }) => queries.job(principal.project, params.job),
    stop: async ({ principal, params }) => {
      const job = await queries.find(principal.project, params.job);
      await actions.stop(job, principal.user);
      return queries.job(principal.project, job.id);
    },
    retry: async ({ principal, params }) => {
      const job = await queries.find(principal.project, params.job);
      await actions.retry(job);
      return queries.job(principal.project, job.id);
    },
    remove: async ({ principal, params }) => {
      await actions.remove(await queries.find(principal.project, params.job));
    },
    metrics: async ({ principal, params }) => {
      const job = await queries.find(principal.project, params.job);
      return scoreTable(job, await queries.tasksOf(job));
    },
    export: async ({ principal, params, query, reply }) => {
      const job = await queries.find(principal.project, params.job);
      const table = scoreTable(job, await queries.tasksOf(job));
      const { text, type, extension } = exportTable(table, query!.format);
      const name = `${job.name.replace(/[^a-zA-Z0-9._-]/g, '-')}-scores.${extension}`;
      return reply.type(type).header('content-disposition', `attachment; filename="${name}"`).send(text);
    },
  };
}
