import { createReadStream } from 'node:fs';
import type { routes } from '@vgpu/api';
import { isTerminal } from '@vgpu/core';
import type { Handlers } from '../http/registrar.ts';
import type { Resources } from '../resources.ts';
import { openOutput, outputFiles } from '../systems/output-files.ts';
import { taskLines } from '../systems/task-lines.ts';

export function taskRoutes(resources: Resources): Handlers<typeof routes.tasks> {
  const { actions, queries, telemetry, paths } = resources;
  return {
    get: ({ principal, params }) => queries.task(principal.project, params.task),
    stop: async ({ principal, params }) => {
      await actions.stopTask(await queries.findTask(principal.project, params.task), principal.user);
      return queries.task(principal.project, params.task);
    },
    retry: async ({ principal, params }) => {
      await actions.retryTask(await queries.findTask(principal.project, params.task));
      return queries.task(principal.project, params.task);
    },
    logs: async ({ principal, params, query }) => {
      const { from, limit, search, regex, stream } = query!;
      if (search === undefined && stream === undefined) {
        return taskLines(resources, principal.project, params.task, from, limit);
      }
      const row = await queries.findTask(principal.project, params.task);
      const known = { lines: row.lines, dropped: row.dropped_bytes, open: !isTerminal(row.state) };
      const page = await telemetry.lines(row.id, 0, 0, known);
      const log = await telemetry.logs.log(row.id);
      const start = from < 0 ? Math.max(0, page.total + from) : from;
      const found = await log.search({
        text: search ?? '',
        regex,
        caseSensitive: false,
        from: start,
        limit: Math.min(limit, 1000),
        ...(stream ? { stream } : {}),
      });
      return { ...page, items: found.lines };
    },
    logDownload: async ({ principal, params, reply }) => {
      const row = await queries.findTask(principal.project, params.task);
      const log = await telemetry.logs.log(row.id);
      return reply
        .type('text/plain; charset=utf-8')
        .header('content-disposition', `attachment; filename="${row.name.replace(/[^\w.-]/g, '-')}.log"`)
        .send(log.stream());
    },
    series: async ({ principal, params, query }) => {
      const row = await queries.findTask(principal.project, params.task);
      const { name, points } = query!;
      const names = name === undefined ? undefined : Array.isArray(name) ? name : [name];
      const series = await telemetry.series(row.id, names, points);
      return {
        items: series.map((one) => ({
          name: one.name,
          step: one.points.map((point, i) => point.step ?? i),
          time: one.points.map((point) => point.time),
          value: one.points.map((point) => point.value),
          total: one.total,
        })),
      };
    },
    files: async ({ principal, params }) =>
      outputFiles(paths.files, await queries.findTask(principal.project, params.task)),
    file: async ({ principal, params, reply }) => {
      const row = await queries.findTask(principal.project, params.task);
      const file = await openOutput(paths.files, row, params['*']);
      return (
        reply
          .type(file.type)
          .header('content-length', file.bytes)
          .header('content-disposition', file.disposition)
          // A task's files are hostile: a page among them may not act as ours.
          .header(
            'content-security-policy',
            "sandbox; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'",
          )
          .send(createReadStream('', { fd: file.fd }))
      );
    },
  };
}
