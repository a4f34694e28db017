import { z } from 'zod';
import { progress } from './common.ts';
import { job, task } from './job.ts';
import { logLine } from './log.ts';
import { topology } from './machine.ts';

/**
 * The WebSocket at /v1/stream. The client subscribes to topics, each from an offset; the server answers with
 * frames that carry the topic and the next offset. After a break the client subscribes again from there: no frame
 * is lost or doubled. Topics:
 *   jobs               a jobSummary whenever one changes (offset: store sequence)
 *   job:<id>           the whole job at once, then task changes, live progress and metric points
 *   logs:<task id>     lines from line number `from` on (offset: line number)
 *   topology           a fresh topology every second while somebody listens
 */
export const clientFrame = z.discriminatedUnion('op', [
  z.object({ op: z.literal('subscribe'), topic: z.string(), from: z.int().optional() }),
  z.object({ op: z.literal('unsubscribe'), topic: z.string() }),
  z.object({ op: z.literal('ping') }),
]);
export type ClientFrame = z.input<typeof clientFrame>;

export const serverFrame = z.discriminatedUnion('type', [
  z.object({ type: z.literal('job'), topic: z.string(), next: z.int(), job }),
  z.object({ type: z.literal('jobs'), topic: z.string(), next: z.int(), ids: z.array(z.string()) }),
  z.object({ type: z.literal('task'), topic: z.string(), next: z.int(), task }),
  z.object({
    type: z.literal('live'),
    topic: z.string(),
    task: z.string(),
    progress: progress.nullable(),
    /** The line a progress bar keeps redrawing, not yet part of the log. */
    liveLine: z.string().nullable(),
    /** New metric points since the last frame: name, step, time, value. */
    points: z.array(z.tuple([z.string(), z.number(), z.number(), z.number()])),
  }),
  z.object({
    type: z.literal('logs'),
    topic: z.string(),
    next: z.int(),
    lines: z.array(logLine),
    /** Bytes of output lost so far, as in a page of the log. */
    dropped: z.int(),
    open: z.boolean(),
  }),
  z.object({ type: z.literal('topology'), topic: z.string(), topology }),
  z.object({ type: z.literal('gone'), topic: z.string() }),
  z.object({
    type: z.literal('error'),
    topic: z.string().nullable(),
    error: z.object({ code: z.string(), message: z.string(), hint: z.string() }),
  }),
  z.object({ type: z.literal('pong') }),
]);
export type ServerFrame = z.output<typeof serverFrame>;
