import type { z } from 'zod';

/** What a caller must be allowed to do. `public` needs no token. */
export type Scope = 'public' | 'read' | 'write' | 'admin';

/** One route of the API: the server registers it, the clients call it, OpenAPI lists it. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';
  /** Fastify style: `/v1/jobs/:job`. A last `*` takes the rest of the path. */
  readonly path: string;
  readonly summary: string;
  /** Heading in the API reference. */
  readonly tag: string;
  readonly scope: Scope;
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  /** JSON body; `stream` means raw bytes of any length. */
  readonly body?: z.ZodType | 'stream';
  /** JSON answer; `stream` means bytes, `ndjson` one JSON object a line as they come, `none` is 204. */
  readonly response: z.ZodType | 'stream' | 'ndjson' | 'none';
  /** Takes an `Idempotency-Key` header: the same key and body give the same answer, done once. */
  readonly idempotent?: boolean;
}

/** Keeps the literal types of a route. */
export const route = <const R extends Route>(definition: R): R => definition;

type Input<S> = S extends z.ZodType ? z.input<S> : never;

/** What a client passes for a route. */
export type RouteInput<R extends Route> = (R['params'] extends z.ZodType
  ? { params: Input<R['params']> }
  : object) &
  (R['query'] extends z.ZodType ? { query?: Input<R['query']> } : object) &
  (R['body'] extends z.ZodType
    ? { body: Input<R['body']> }
    : R['body'] extends 'stream'
      ? { body: NonNullable<RequestInit['body']> | AsyncIterable<Uint8Array> }
      : object);

/** What a client gets back: parsed JSON, the raw Response of a stream, or nothing. */
export type RouteOutput<R extends Route> = R['response'] extends z.ZodType
  ? z.output<R['response']>
  : R['response'] extends 'none'
    ? undefined
    : Response;
