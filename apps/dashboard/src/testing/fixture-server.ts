/**
 * A server for developing the pages without an engine: `npm run fixture -w @vgpu/dashboard`, then
 * http://127.0.0.1:8471. Its answers go through the schemas of the API, so that they cannot drift from it.
 * `--no-gpus` shows a machine without accelerators; `--port N` another port; `--dist DIR` another build.
 */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { parseArgs } from 'node:util';
import { type ClientFrame, type Route, routes, type ServerFrame, serverFrame } from '@vgpu/api';
import { type WebSocket, WebSocketServer } from 'ws';
import type { z } from 'zod';
import { answers } from './answers.ts';
import { linesOf } from './job-answers.ts';
import { topologyOf } from './made-machine.ts';
import { longLine, seriesOf } from './streams.ts';
import { makeWorld, manySeries } from './world.ts';

const { values: flags } = parseArgs({
  options: {
    port: { type: 'string', default: '8471' },
    dist: { type: 'string' },
    'no-gpus': { type: 'boolean', default: false },
  },
});
const world = makeWorld(!flags['no-gpus']);
const answer = answers(world);
const dist = flags.dist ?? join(import.meta.dirname, '../../dist');
const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

const table = Object.values(routes)
  .flatMap((group) => Object.values(group) as Route[])
  .map((route) => ({
    route,
    pattern: new RegExp(`^${route.path.replace(/\*$/, '(?<rest>.*)').replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`),
  }));

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const type = request.headers['content-type'] ?? '';
  return type.includes('json') && chunks.length ? JSON.parse(Buffer.concat(chunks).toString()) : undefined;
}

async function api(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  const fitting = table.filter(
    (one) => one.route.method === request.method && one.pattern.test(url.pathname),
  );
  const one = fitting.sort((a, b) => a.route.path.split(':').length - b.route.path.split(':').length)[0];
  const body = await bodyOf(request);
  if (!one)
    return send(response, 404, {
      error: { code: 'NOT_FOUND', message: `no route ${url.pathname}`, hint: '' },
    });
  const params = Object.fromEntries(
    Object.entries(one.pattern.exec(url.pathname)?.groups ?? {}).map(([k, v]) => [k, decodeURIComponent(v)]),
  );
  if (one.route.response === 'stream')
    return void response.writeHead(200, { 'content-type': 'text/plain' }).end('fixture\n');
  if (one.route.response === 'ndjson') return build(response);
  const result = answer.get(one.route)?.({ params, query: url.searchParams, body });
  if (one.route.response === 'none') return void response.writeHead(204).end();
  if (result === undefined) {
    return send(response, 404, {
      error: {
        code: 'NOT_FOUND',
        message: `nothing called ${Object.values(params)[0]}`,
        hint: 'See the list.',
      },
    });
  }
  send(response, 200, (one.route.response as z.ZodType).parse(result));
}

async function build(response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  for (const step of ['base', 'python', 'numpy', 'scikit-learn', 'verify']) {
    response.write(`${JSON.stringify({ type: 'step', step, progress: null })}\n`);
    response.write(`${JSON.stringify({ type: 'output', text: `installing ${step}` })}\n`);
    await new Promise((done) => setTimeout(done, 400));
  }
  response.end(`${JSON.stringify({ type: 'done', image: 'sklearn', id: 'sha256:c41ab7' })}\n`);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function file(response: ServerResponse, path: string): void {
  const wanted = join(dist, normalize(path));
  const found = existsSync(wanted) && statSync(wanted).isFile() ? wanted : join(dist, 'index.html');
  response.writeHead(200, { 'content-type': types[extname(found)] ?? 'application/octet-stream' });
  createReadStream(found).pipe(response);
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://fixture');
  if (!url.pathname.startsWith('/v1/')) return file(response, url.pathname);
  api(request, response, url).catch((error: unknown) =>
    send(response, 500, { error: { code: 'INTERNAL', message: String(error), hint: '' } }),
  );
});

new WebSocketServer({ server, path: '/v1/stream' }).on('connection', (socket) => {
  const topics = new Map<string, ReturnType<typeof setInterval>>();
  socket.on('message', (data) => {
    const frame = JSON.parse(String(data)) as ClientFrame;
    if (frame.op === 'ping') return tell(socket, { type: 'pong' });
    clearInterval(topics.get(frame.topic));
    if (frame.op === 'subscribe') topics.set(frame.topic, play(socket, frame.topic, frame.from));
  });
  socket.on('close', () => {
    for (const timer of topics.values()) clearInterval(timer);
  });
});

const tell = (socket: WebSocket, frame: ServerFrame) => socket.send(JSON.stringify(serverFrame.parse(frame)));

function play(socket: WebSocket, topic: string, from = 0): ReturnType<typeof setInterval> {
  const [kind, id = ''] = topic.split(':');
  if (kind === 'topology') {
    return setInterval(() => tell(socket, { type: 'topology', topic, topology: topologyOf(world) }), 1000);
  }
  if (kind === 'logs') {
    let next = from;
    return setInterval(() => {
      const total = linesOf(world, id);
      if (total === next) return;
      const lines = Array.from({ length: Math.min(2000, total - next) }, (_, i) => longLine(next + i));
      next += lines.length;
      tell(socket, { type: 'logs', topic, next, lines, dropped: 0, open: true });
    }, 100);
  }
  const job = world.jobs.find((one) => one.id === id);
  if (kind !== 'job' || !job) return setInterval(() => undefined, 1e6);
  tell(socket, { type: 'job', topic, next: 1, job });
  let step = 600;
  const names = seriesOf(job.name === 'marathon' ? manySeries : 4, 1).map((one) => one.name);
  return setInterval(() => {
    step++;
    for (const task of job.tasks.filter((one) => one.state === 'RUNNING')) {
      const current = step % 400;
      tell(socket, {
        type: 'live',
        topic,
        task: task.id,
        progress: {
          label: 'Training',
          current,
          total: 400,
          fraction: current / 400,
          unit: 'batch',
          rate: 5.1,
          eta: (400 - current) / 5,
        },
        liveLine: `Training: ${Math.round(current / 4)}%|${'█'.repeat(current / 20)}${' '.repeat(20 - Math.floor(current / 20))}| ${current}/400 [5.10batch/s]`,
        points: names.map((name, k) => [
          name,
          step,
          Date.now(),
          (name.includes('accuracy') ? 0.94 : 0.12 * (1 + (k % 7))) + Math.random() * 0.02,
        ]),
      });
    }
  }, 200);
}

server.listen(Number(flags.port), '127.0.0.1', () =>
  console.log(`fixture at http://127.0.0.1:${flags.port}`),
);
