import { z } from 'zod';
import { time } from './common.ts';

/** One line of a task: plain text, control characters removed. `seq` counts from 0 without gaps. */
export const logLine = z.object({
  seq: z.int(),
  time,
  stream: z.enum(['stdout', 'stderr', 'system']),
  kind: z.enum(['log', 'progress']),
  text: z.string(),
});
export type LogLineView = z.output<typeof logLine>;

export const logPage = z.object({
  items: z.array(logLine),
  /** Number of lines so far. */
  total: z.int(),
  /** Bytes of output lost because the reader could not keep up; never silent. */
  dropped: z.int(),
  /** Whether the task may still print. */
  open: z.boolean(),
});

export const logQuery = z.object({
  /** First line to send. Negative counts from the end. */
  from: z.coerce.number().int().default(0),
  limit: z.coerce.number().int().min(1).max(10_000).default(1000),
  search: z.string().optional(),
  regex: z.stringbool().default(false),
  stream: z.enum(['stdout', 'stderr', 'system']).optional(),
});
