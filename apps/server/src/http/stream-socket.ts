import type { FastifyPluginAsync, FastifyRequest } from 'fastify';
import type { Resources } from '../resources.ts';
import { StreamConnection } from '../stream/connection.ts';
import { topicsOf } from '../stream/open-topic.ts';
import type { Principal } from '../systems/principal.ts';
import type { Authenticate } from './authenticate.ts';
import { demand } from './registrar.ts';

/** The WebSocket at /v1/stream. */
export function streamSocket(resources: Resources, authenticate: Authenticate): FastifyPluginAsync {
  return async (app) => {
    const principals = new WeakMap<FastifyRequest, Principal>();
    app.get(
      '/v1/stream',
      {
        websocket: true,
        schema: { hide: true },
        preValidation: async (request) => {
          const principal = await authenticate(request);
          demand(principal, 'read', 'follow what happens');
          principals.set(request, principal!);
        },
      },
      (socket, request) => {
        new StreamConnection(socket, topicsOf(resources, principals.get(request)!));
      },
    );
  };
}
