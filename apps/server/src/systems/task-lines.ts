import { isTerminal } from '@vgpu/core';
import type { JobQueries } from './job-queries.ts';
import type { LinePage, Telemetry } from './telemetry.ts';

/** Lines of a task of a project, from number `from` on (negative: from the end), at most `limit`. */
export async function taskLines(
  parts: { queries: JobQueries; telemetry: Telemetry },
  project: string,
  task: string,
  from: number,
  limit: number,
): Promise<LinePage> {
  const row = await parts.queries.findTask(project, task);
  const known = { lines: row.lines, dropped: row.dropped_bytes, open: !isTerminal(row.state) };
  const page = await parts.telemetry.lines(task, from, limit, known);
  // Lines not yet on disk carry the ring's time, which has a fraction; the contract counts whole milliseconds.
  return { ...page, items: page.items.map((line) => ({ ...line, time: Math.floor(line.time) })) };
}
