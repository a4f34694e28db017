import cookie from '@fastify/cookie';
import websocket from '@fastify/websocket';
import { newId } from '@vgpu/core';
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { setErrorAnswers } from './error-answers.ts';
import type { OriginGuard } from './origin-guard.ts';
import { reference } from './reference.ts';

const BODY_LIMIT = 4 * 2 ** 20;

/** The HTTP server without its routes: parsing, limits, headers, errors, and the API reference at /docs. */
export async function createApp(parts: {
  log: FastifyBaseLogger;
  guard: OriginGuard;
  version: string;
}): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: parts.log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    genReqId: () => newId('request'),
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: 500 },
  });
  // Checks are done by the registrar against zod; what leaves is JSON already.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (value) => (typeof value === 'string' ? value : JSON.stringify(value)));
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser(
    ['application/octet-stream', 'application/gzip', 'application/x-gzip', 'text/csv'],
    (_request, payload, done) => done(null, payload),
  );
  setErrorAnswers(app);
  await app.register(cookie);
  await app.register(websocket, { options: { maxPayload: 64 * 1024, perMessageDeflate: false } });
  app.addHook('onRequest', async (request, reply) => {
    parts.guard.checkHost(request);
    reply.header('x-content-type-options', 'nosniff');
    reply.header('referrer-policy', 'same-origin');
    reply.header('x-frame-options', 'DENY');
    if (request.url.startsWith('/v1/')) reply.header('cache-control', 'no-store');
  });
  await reference(app, parts.version);
  return app;
}
