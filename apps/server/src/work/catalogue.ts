import { z } from 'zod';

/** One kind of durable background work: what it is given, how long it may take, how often it is tried. */
export interface WorkEntry<S extends z.ZodType = z.ZodType> {
  readonly schema: S;
  /** Longest that one try may take; it also is the lease in the queue. */
  readonly timeoutMs: number;
  readonly tries: number;
  /** Wait before the second try; doubles with each further one. */
  readonly backoffMs: number;
}

const entry = <S extends z.ZodType>(definition: WorkEntry<S>) => definition;

/** All background work that survives a crash, by its topic in the work queue. */
export const workCatalogue = {
  /** Deletes logs, series and files of deleted tasks. */
  'purge-tasks': entry({
    schema: z.object({ tasks: z.array(z.string()) }),
    timeoutMs: 120_000,
    tries: 10,
    backoffMs: 1000,
  }),
} as const;

export type WorkTopic = keyof typeof workCatalogue;
export type WorkPayload<T extends WorkTopic> = z.output<(typeof workCatalogue)[T]['schema']>;

/** Work that repeats while the server runs; missing one round does no harm. */
export const rounds = {
  /** The engine is asked whether it still has what should run, and nothing else. */
  reconcile: { everyMs: 20_000 },
  /** Arbiters that died are started again; what slices use is read from their ledgers. */
  devices: { everyMs: 1000 },
  /** Idempotency keys are forgotten after a day. */
  forgetKeys: { everyMs: 3_600_000 },
  /** The queue is looked at for work that came from elsewhere or whose delay ran out. */
  work: { everyMs: 5000 },
} as const;
