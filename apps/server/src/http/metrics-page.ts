import type { FastifyPluginAsync } from 'fastify';
import type { Resources } from '../resources.ts';
import type { Authenticate } from './authenticate.ts';
import { demand } from './registrar.ts';

/** Prometheus metrics at /metrics; a scraper sends a token with the scope `read`. */
export function metricsPage({ metrics }: Resources, authenticate: Authenticate): FastifyPluginAsync {
  return async (app) => {
    app.get('/metrics', { schema: { hide: true } }, async (request, reply) => {
      demand(await authenticate(request), 'read', 'read metrics');
      return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
    });
  };
}
