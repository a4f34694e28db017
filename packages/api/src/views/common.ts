import { z } from 'zod';

/** Milliseconds since 1970. */
export const time = z.int();
/** A page of a listing; `next` is the cursor of the following page, null on the last. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), next: z.string().nullable(), total: z.int() });
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().optional(),
});
export const reason = z.object({ code: z.string(), message: z.string(), hint: z.string().optional() });
/** How far a piece of work is; `total` is null where it is not known. */
export const progress = z.object({
  label: z.string().nullable(),
  current: z.number(),
  total: z.number().nullable(),
  /** 0 to 1, null where unknown. */
  fraction: z.number().nullable(),
  unit: z.string().nullable(),
  /** Units a second. */
  rate: z.number().nullable(),
  /** Seconds left. */
  eta: z.number().nullable(),
});
export type Progress = z.output<typeof progress>;
