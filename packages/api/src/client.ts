import { type ErrorBody, VgpuError } from '@vgpu/core';
import { z } from 'zod';
import type { Route, RouteInput, RouteOutput } from './route.ts';

export interface ClientOptions {
  /** Origin of the server, such as `http://127.0.0.1:8470`. Empty in the browser: same origin. */
  url: string;
  token?: string;
  fetch?: typeof fetch;
}

export interface CallOptions {
  idempotencyKey?: string;
  signal?: AbortSignal;
}

function pathOf(route: Route, params: Record<string, unknown>): string {
  const encode = (value: unknown) => encodeURIComponent(String(value));
  return route.path
    .replace(/:(\w+)/g, (_, name: string) => encode(params[name]))
    .replace(/\*$/, () => String(params['*']).split('/').map(encode).join('/'));
}

function queryOf(query: Record<string, unknown> | undefined): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null) search.append(name, String(one));
    }
  }
  const text = search.toString();
  return text ? `?${text}` : '';
}

/** A client of the API, typed by the route contracts; CLI, dashboard and tests share it. */
export class VgpuClient {
  readonly url: string;
  readonly #token: string | undefined;
  readonly #fetch: typeof fetch;

  constructor(options: ClientOptions) {
    this.url = options.url.replace(/\/+$/, '');
    this.#token = options.token;
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init));
  }

  /** The full address of a route, for links and downloads. */
  address<R extends Route>(route: R, input?: Partial<RouteInput<R>>): string {
    const { params, query } = (input ?? {}) as {
      params?: Record<string, unknown>;
      query?: Record<string, unknown>;
    };
    return this.url + pathOf(route, params ?? {}) + queryOf(query);
  }

  /**
   * Calls a route.
   * @throws VgpuError as the server sent it, or `SERVER_UNREACHABLE` when none answers.
   */
  async call<R extends Route>(
    route: R,
    input: RouteInput<R>,
    options: CallOptions = {},
  ): Promise<RouteOutput<R>> {
    const { body } = input as { body?: unknown };
    const headers: Record<string, string> = { accept: 'application/json' };
    if (this.#token) headers.authorization = `Bearer ${this.#token}`;
    if (options.idempotencyKey) headers['idempotency-key'] = options.idempotencyKey;
    const init: RequestInit & { duplex?: 'half' } = { method: route.method, headers, signal: options.signal };
    if (route.body === 'stream') {
      headers['content-type'] = 'application/octet-stream';
      init.body = body as RequestInit['body'];
      init.duplex = 'half';
    } else if (route.body) {
      headers['content-type'] = 'application/json';
      init.body = JSON.stringify(body);
    }
    let response: Response;
    try {
      response = await this.#fetch(this.address(route, input), init);
    } catch (cause) {
      if (options.signal?.aborted) throw cause;
      throw new VgpuError('SERVER_UNREACHABLE', { url: this.url || 'this address' }, { cause });
    }
    if (!response.ok) throw await errorOf(response);
    if (route.response === 'none') return undefined as RouteOutput<R>;
    if (route.response instanceof z.ZodType) return (await response.json()) as RouteOutput<R>;
    return response as RouteOutput<R>;
  }
}

async function errorOf(response: Response): Promise<VgpuError> {
  const text = await response.text().catch(() => '');
  try {
    const { error } = JSON.parse(text) as { error: ErrorBody };
    if (error?.code) return VgpuError.fromBody(error);
  } catch {
    // not from vgpu: a proxy on the way, say
  }
  // A HEAD answer has no body to say more.
  if (response.status === 401) return new VgpuError('UNAUTHENTICATED');
  if (response.status === 403) return new VgpuError('FORBIDDEN', { action: 'do this', scope: 'write' });
  if (response.status === 404)
    return new VgpuError('NOT_FOUND', { what: 'thing at', id: response.url, list: 'help' });
  return new VgpuError('INTERNAL', {
    problem: `HTTP ${response.status} ${text.slice(0, 200)}`,
    request: '-',
  });
}
