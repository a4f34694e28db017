import http, { type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { VgpuError } from '@vgpu/core';
import type { FastifyInstance } from 'fastify';
import type { Resources } from '../resources.ts';
import type { Authenticate } from './authenticate.ts';
import { knownError } from './error-answers.ts';
import { proxyPolicy, proxyRedirect } from './proxy-policy.ts';
import { demand } from './registrar.ts';

/** Headers that belong to one hop (RFC 9110, section 7.6.1), and what a worker must never see of ours. */
const HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'authorization',
]);

/** Everything behind `/proxy/<task>/<port>`. */
const PATH = /^\/proxy\/([^/?]+)\/(\d{1,5})(\/[^?]*)?(\?.*)?$/;

interface Target {
  task: string;
  port: number;
  /** What the worker is asked for. */
  path: string;
  prefix: string;
}

function targetOf(url: string): Target {
  const match = PATH.exec(url);
  if (!match) throw new VgpuError('NOT_FOUND', { what: 'page', id: url, list: 'ps' });
  const [, task, port, path, query] = match;
  return {
    task: decodeURIComponent(task!),
    port: Number(port),
    path: (path ?? '/') + (query ?? ''),
    prefix: `/proxy/${task}/${port}`,
  };
}

/** The caller's headers without what is ours: no token, no session; the task's own cookies go on. */
function headersFor(request: IncomingMessage, target: Target): http.OutgoingHttpHeaders {
  const headers: http.OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (!HOP.has(name) && name !== 'cookie') headers[name] = value;
  }
  const cookies = (request.headers.cookie ?? '').split(/;\s*/).filter((c) => c && !c.startsWith('vgpu_'));
  if (cookies.length > 0) headers.cookie = cookies.join('; ');
  headers['x-forwarded-prefix'] = target.prefix;
  return headers;
}

/** What a worker answers, without what it must not set for our origin. */
function answerHeaders(answer: IncomingMessage, target: Target, host: string): http.OutgoingHttpHeaders {
  const headers: http.OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (HOP.has(name) || name === 'clear-site-data' || name === 'service-worker-allowed') continue;
    headers[name] = value;
  }
  const cookies = answer.headers['set-cookie'];
  if (cookies) {
    // A task's cookies stay with the task, and cannot pass for ours.
    headers['set-cookie'] = cookies
      .filter((cookie) => !/^\s*vgpu_/i.test(cookie))
      .map((cookie) => `${cookie.replace(/;\s*(path|domain)=[^;]*/gi, '')}; Path=${target.prefix}/`);
  }
  const { location } = answer.headers;
  if (location !== undefined) {
    const to = proxyRedirect(location, { host, ...target });
    if (to === undefined) delete headers.location;
    else headers.location = to;
  }
  // Beside a policy of the task's own: a browser keeps to both.
  const own = answer.headers['content-security-policy'];
  const policy = proxyPolicy(host, target.prefix);
  headers['content-security-policy'] = own === undefined ? policy : `${own}, ${policy}`;
  return headers;
}

/** Serves the declared ports of running tasks under /proxy/<task>/<port>/: HTTP and WebSockets, authenticated. */
export class PortProxy {
  readonly #resources: Resources;
  readonly #authenticate: Authenticate;

  constructor(resources: Resources, authenticate: Authenticate) {
    this.#resources = resources;
    this.#authenticate = authenticate;
  }

  register(app: FastifyInstance): void {
    app.register(async (scope) => {
      // Bodies pass through as they are, whatever their type.
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
      scope.all('/proxy/*', { schema: { hide: true } }, async (request, reply) => {
        const target = targetOf(request.raw.url ?? '');
        const socket = await this.#connect(request, target);
        if (request.raw.url === target.prefix) return reply.redirect(`${target.prefix}/`);
        const answer = await this.#ask(request.raw, target, socket);
        reply.raw.on('close', () => socket.destroy());
        reply
          .code(answer.statusCode ?? 502)
          .headers(answerHeaders(answer, target, request.headers.host ?? ''));
        reply.removeHeader('x-frame-options');
        return reply.send(answer);
      });
    });
    app.addHook('onListen', async () => this.#takeUpgrades(app));
  }

  /** Upgrades under /proxy/ go to the worker; all others to whoever took them before. */
  #takeUpgrades(app: FastifyInstance): void {
    const others = app.server.listeners('upgrade') as ((...args: unknown[]) => void)[];
    app.server.removeAllListeners('upgrade');
    app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (!request.url?.startsWith('/proxy/')) {
        for (const listener of others) listener.call(app.server, request, socket, head);
        return;
      }
      this.#upgrade(app, request, socket, head).catch((error) => {
        const { status, message } = knownError(error, '-');
        socket.end(
          `HTTP/1.1 ${status} ${http.STATUS_CODES[status] ?? ''}\r\nconnection: close\r\n\r\n${message}`,
        );
      });
    });
  }

  async #upgrade(
    app: FastifyInstance,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
  ): Promise<void> {
    socket.on('error', () => socket.destroy());
    const target = targetOf(request.url ?? '');
    const cookies = app.parseCookie(request.headers.cookie ?? '') as Record<string, string | undefined>;
    const worker = await this.#connect({ headers: request.headers, cookies, method: 'GET' }, target);
    const headers = {
      ...headersFor(request, target),
      connection: 'Upgrade',
      upgrade: request.headers.upgrade,
    };
    const lines = Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [value].flat().map((one) => `${name}: ${one}`),
    );
    worker.on('error', () => socket.destroy());
    worker.on('close', () => socket.destroy());
    socket.on('close', () => worker.destroy());
    worker.write(`GET ${target.path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    if (head.length > 0) worker.write(head);
    socket.pipe(worker).pipe(socket);
  }

  /** A stream to the port of a task that runs, if the caller may have it. */
  async #connect(request: Parameters<Authenticate>[0], target: Target): Promise<Duplex> {
    const { queries, execution, engine } = this.#resources;
    const principal = await this.#authenticate(request);
    demand(principal, 'write', 'reach the ports of tasks');
    const task = await queries.findTask(principal!.project, target.task);
    const active = execution.activeOf(task.id);
    if (!active?.handle || active.ended) {
      const advice = 'Its ports answer while it runs.';
      throw new VgpuError('CONFLICT', { problem: `task ${task.name} is ${task.state}`, advice });
    }
    if (!active.spec.ports.includes(target.port)) {
      const problem = `task ${task.name} did not declare port ${target.port}; add it to the job: ports: [${target.port}]`;
      throw new VgpuError('BAD_REQUEST', { problem });
    }
    return engine.connectPort(active.handle, target.port);
  }

  #ask(request: IncomingMessage, target: Target, socket: Duplex): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const outgoing = http.request({
      createConnection: () => socket as never,
      method: request.method,
      path: target.path,
      headers: { ...headersFor(request, target), connection: 'close' },
    });
    outgoing.on('response', resolve);
    outgoing.on('error', (cause) => {
      const problem = `port ${target.port} of the task does not answer (${cause.message})`;
      reject(new VgpuError('CONFLICT', { problem, advice: 'It may not listen yet; try again.' }, { cause }));
    });
    request.pipe(outgoing);
    return promise;
  }
}
