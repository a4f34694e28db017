import type { Route, RouteOutput, Scope } from '@vgpu/api';
import { checkAgainst, VgpuError } from '@vgpu/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { mayDo, type Principal } from '../systems/principal.ts';
import type { Authenticate } from './authenticate.ts';

type Parsed<R extends Route, K extends 'params' | 'query' | 'body'> = R[K] extends z.ZodType
  ? z.output<R[K]>
  : undefined;

/** One call of a route, checked against its contract. */
export interface Call<R extends Route> {
  params: Parsed<R, 'params'>;
  query: Parsed<R, 'query'>;
  body: R['body'] extends 'stream' ? NodeJS.ReadableStream : Parsed<R, 'body'>;
  /** Who calls; on public routes whoever it is, if anybody. */
  principal: R['scope'] extends 'public' ? Principal | undefined : Principal;
  request: FastifyRequest;
  reply: FastifyReply;
}

/** What a handler returns: JSON by contract, nothing for 204, or it sends a stream by `reply` itself. */
export type Handler<R extends Route> = (
  call: Call<R>,
) => Promise<R['response'] extends z.ZodType ? RouteOutput<R> : unknown>;

/** A handler for every route of a resource. */
export type Handlers<G extends Record<string, Route>> = { [K in keyof G]: Handler<G[K]> };

export interface RegistrarOptions {
  authenticate: Authenticate;
  /** Checks answers against their contract. */
  checkAnswers: boolean;
}

const part = <T extends z.ZodType | undefined>(schema: T, value: unknown, name: string) =>
  schema === undefined ? undefined : checkAgainst(schema, value, name);

/** @throws VgpuError `UNAUTHENTICATED`, `FORBIDDEN`. */
export function demand(principal: Principal | undefined, scope: Scope, action: string): void {
  if (scope === 'public') return;
  if (!principal) throw new VgpuError('UNAUTHENTICATED');
  if (!mayDo(principal, scope)) throw new VgpuError('FORBIDDEN', { action, scope });
}

/** Registers every route of a resource: the contract gives path, checks, scope and its page in the reference. */
export function register<G extends Record<string, Route>>(
  app: FastifyInstance,
  group: G,
  handlers: Handlers<G>,
  options: RegistrarOptions,
): void {
  for (const [name, route] of Object.entries(group) as [keyof G & string, G[keyof G & string]][]) {
    const handler = handlers[name] as Handler<Route>;
    app.route({
      method: route.method,
      url: route.path,
      exposeHeadRoute: false,
      schema: {
        summary: route.summary,
        tags: [route.tag],
        ...(route.scope === 'public' ? { security: [] } : {}),
        ...(route.params ? { params: route.params } : {}),
        ...(route.query ? { querystring: route.query } : {}),
        ...(route.body instanceof z.ZodType ? { body: route.body } : {}),
        response: answerSchema(route),
      },
      handler: async (request, reply) => {
        const principal = await options.authenticate(request);
        demand(principal, route.scope, `${route.method} ${route.path}`);
        const answer = await handler({
          params: part(route.params, request.params, 'path') as never,
          query: part(route.query, request.query, 'query') as never,
          body: (route.body instanceof z.ZodType
            ? part(route.body, request.body, 'body')
            : request.body) as never,
          principal: principal as never,
          request,
          reply,
        });
        if (reply.sent) return reply;
        if (route.response === 'none') return reply.code(204).send();
        if (!(route.response instanceof z.ZodType)) return answer ?? reply;
        if (options.checkAnswers) checkAnswer(route, answer);
        return reply.type('application/json; charset=utf-8').send(JSON.stringify(answer));
      },
    });
  }
}

function answerSchema(route: Route): Record<number, unknown> {
  if (route.response === 'none') return { 204: z.null().describe('Done') };
  if (route.response instanceof z.ZodType) return { 200: route.response };
  return { 200: z.string().describe(route.response === 'ndjson' ? 'One JSON object a line' : 'Bytes') };
}

function checkAnswer(route: Route, answer: unknown): void {
  const result = (route.response as z.ZodType).safeParse(answer);
  if (result.success) return;
  const [issue] = result.error.issues;
  const problem = `the answer of ${route.method} ${route.path} breaks its contract at ${issue?.path.join('.')}: ${issue?.message}`;
  throw new VgpuError('INTERNAL', { problem, request: '-' });
}
