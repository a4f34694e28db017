import { z } from 'zod';
import { time } from './common.ts';

/** GPUs and CPU in thousandths, memory in bytes; null: no bound. */
export const amounts = z.object({
  gpu: z.int().min(0).nullable(),
  cpu: z.int().min(0).nullable(),
  memory: z.int().min(0).nullable(),
});
export type Amounts = z.output<typeof amounts>;

export const project = z.object({
  name: z.string(),
  /** The project above it: what it and its siblings hold counts there as well. */
  parent: z.string().nullable(),
  /** What it deserves: lent out while idle, taken back when needed. */
  quota: amounts,
  /** Hard ceiling, borrowed amounts included. */
  limit: amounts,
  /** Its share of what others leave idle, relative to its siblings; 0 never borrows. */
  overQuotaWeight: z.number(),
  /** Whether its jobs may say `network: egress`. */
  allowEgress: z.boolean(),
  used: z.object({ gpu: z.int(), cpu: z.int(), memory: z.int() }),
  running: z.int(),
  waiting: z.int(),
  createdAt: time,
});
export type Project = z.output<typeof project>;

/** What is left out stays as it is; null takes a bound away. */
export const projectChange = z.strictObject({
  parent: z.string().nullable().optional(),
  quota: z.strictObject(amounts.partial().shape).optional(),
  limit: z.strictObject(amounts.partial().shape).optional(),
  overQuotaWeight: z.number().min(0).max(1000).optional(),
  allowEgress: z.boolean().optional(),
});
export type ProjectChange = z.output<typeof projectChange>;
