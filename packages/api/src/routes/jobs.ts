import { z } from 'zod';
import { route } from '../route.ts';
import * as views from '../views/job.ts';
import { logPage, logQuery } from '../views/log.ts';

const tag = 'Jobs';
const byJob = z.object({ job: z.string() });
const byTask = z.object({ task: z.string() });

export const jobs = {
  list: route({
    method: 'GET',
    path: '/v1/jobs',
    summary: 'List jobs, newest first',
    tag,
    scope: 'read',
    query: views.jobQuery,
    response: views.jobPage,
  }),
  submit: route({
    method: 'POST',
    path: '/v1/jobs',
    summary: 'Submit a job',
    tag,
    scope: 'write',
    body: views.submission,
    response: views.job,
    idempotent: true,
  }),
  preview: route({
    method: 'POST',
    path: '/v1/jobs/preview',
    summary: 'Say what a submission would do, without doing it',
    tag,
    scope: 'write',
    body: views.submission.partial({ bundle: true }),
    response: views.jobPreview,
  }),
  /** `job` may be an id, a unique start of one, a name (its newest job) or `latest`. */
  get: route({
    method: 'GET',
    path: '/v1/jobs/:job',
    summary: 'One job with its tasks',
    tag,
    scope: 'read',
    params: byJob,
    response: views.job,
  }),
  stop: route({
    method: 'POST',
    path: '/v1/jobs/:job/stop',
    summary: 'Stop every task that has not ended',
    tag,
    scope: 'write',
    params: byJob,
    response: views.job,
  }),
  retry: route({
    method: 'POST',
    path: '/v1/jobs/:job/retry',
    summary: 'Queue the failed and cancelled tasks again',
    tag,
    scope: 'write',
    params: byJob,
    response: views.job,
  }),
  remove: route({
    method: 'DELETE',
    path: '/v1/jobs/:job',
    summary: 'Delete an ended job with its logs and files',
    tag,
    scope: 'write',
    params: byJob,
    response: 'none',
  }),
  metrics: route({
    method: 'GET',
    path: '/v1/jobs/:job/metrics',
    summary: 'The table of scores',
    tag,
    scope: 'read',
    params: byJob,
    response: views.metricsTable,
  }),
  export: route({
    method: 'GET',
    path: '/v1/jobs/:job/export',
    summary: 'The table of scores as CSV, JSON or Markdown',
    tag,
    scope: 'read',
    params: byJob,
    query: z.object({ format: z.enum(['csv', 'json', 'markdown']).default('csv') }),
    response: 'stream',
  }),
} as const;

export const tasks = {
  get: route({
    method: 'GET',
    path: '/v1/tasks/:task',
    summary: 'One task',
    tag,
    scope: 'read',
    params: byTask,
    response: views.task,
  }),
  stop: route({
    method: 'POST',
    path: '/v1/tasks/:task/stop',
    summary: 'Stop one task',
    tag,
    scope: 'write',
    params: byTask,
    response: views.task,
  }),
  retry: route({
    method: 'POST',
    path: '/v1/tasks/:task/retry',
    summary: 'Queue one ended task again',
    tag,
    scope: 'write',
    params: byTask,
    response: views.task,
  }),
  logs: route({
    method: 'GET',
    path: '/v1/tasks/:task/logs',
    summary: 'Lines of a task',
    tag,
    scope: 'read',
    params: byTask,
    query: logQuery,
    response: logPage,
  }),
  logDownload: route({
    method: 'GET',
    path: '/v1/tasks/:task/log.txt',
    summary: 'The whole log as text',
    tag,
    scope: 'read',
    params: byTask,
    response: 'stream',
  }),
  series: route({
    method: 'GET',
    path: '/v1/tasks/:task/series',
    summary: 'Metric series, decimated to at most `points`',
    tag,
    scope: 'read',
    params: byTask,
    query: z.object({
      name: z.union([z.string(), z.array(z.string())]).optional(),
      points: z.coerce.number().int().min(2).max(100_000).default(1000),
    }),
    response: z.object({ items: z.array(views.series) }),
  }),
  files: route({
    method: 'GET',
    path: '/v1/tasks/:task/files',
    summary: 'Files that the task kept',
    tag,
    scope: 'read',
    params: byTask,
    response: views.outputFiles,
  }),
  file: route({
    method: 'GET',
    path: '/v1/tasks/:task/files/*',
    summary: 'One file',
    tag,
    scope: 'read',
    params: z.object({ task: z.string(), '*': z.string() }),
    response: 'stream',
  }),
} as const;

export const bundles = {
  exists: route({
    method: 'HEAD',
    path: '/v1/bundles/:hash',
    summary: 'Whether a folder was uploaded before (404 where not)',
    tag,
    scope: 'write',
    params: z.object({ hash: z.string() }),
    response: 'none',
  }),
  /** A gzipped tar; `hash` is the SHA-256 (hex) of the uncompressed, normalised tar. */
  put: route({
    method: 'PUT',
    path: '/v1/bundles/:hash',
    summary: 'Upload the folder of a script',
    tag,
    scope: 'write',
    params: z.object({ hash: z.string() }),
    body: 'stream',
    response: z.object({ hash: z.string(), files: z.int(), bytes: z.int() }),
  }),
  /** Arguments that the script's argparse declares, read without running it. */
  form: route({
    method: 'GET',
    path: '/v1/bundles/:hash/form',
    summary: 'Options of a script’s argparse',
    tag,
    scope: 'read',
    params: z.object({ hash: z.string() }),
    query: z.object({ script: z.string() }),
    response: z.object({
      items: z.array(
        z.object({
          name: z.string(),
          flag: z.string(),
          type: z.enum(['string', 'integer', 'number', 'boolean', 'choice']),
          default: z.union([z.string(), z.number(), z.boolean()]).nullable(),
          choices: z.array(z.string()).nullable(),
          help: z.string().nullable(),
          required: z.boolean(),
        }),
      ),
    }),
  }),
} as const;
