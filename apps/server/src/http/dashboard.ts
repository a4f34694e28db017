import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import { VgpuError } from '@vgpu/core';
import type { FastifyInstance } from 'fastify';

/** Only what comes from this origin runs; styles may be inline, as the component library sets them on elements. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const MISSING = `<!doctype html><meta charset="utf-8"><title>vgpu</title>
<h1>vgpu is running</h1><p>The dashboard is not built here. The API reference is at <a href="/docs">/docs</a>.</p>`;

/** Serves the dashboard at /; any other path that is no file is a page of it. */
export async function dashboard(app: FastifyInstance, folder: string | undefined): Promise<void> {
  const built = folder !== undefined && existsSync(join(folder, 'index.html'));
  if (built) {
    await app.register(fastifyStatic, {
      root: folder,
      preCompressed: true,
      wildcard: true,
      decorateReply: true,
      setHeaders: (reply, path) => {
        reply.header('content-security-policy', POLICY);
        const hashed = /-[\w-]{8,}\.\w+(\.br|\.gz)?$/.test(path);
        reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
  }
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0]!;
    const isPage = request.method === 'GET' && !/^\/(v1|docs|proxy|metrics)(\/|$)/.test(path);
    if (!isPage || /\.\w{1,5}$/.test(path))
      throw new VgpuError('NOT_FOUND', { what: 'page', id: path, list: 'help' });
    if (built) return reply.sendFile('index.html');
    return reply.type('text/html; charset=utf-8').header('content-security-policy', POLICY).send(MISSING);
  });
}
