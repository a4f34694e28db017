import type { Readable } from 'node:stream';
import { Agent, type Dispatcher, request } from 'undici';
import { DriverError } from '../errors.ts';

/** Newest version of the API whose shapes this client was written against. Older engines are spoken to in theirs. */
const NEWEST_API = '1.47';
const OLDEST_API = '1.40';
/** Podman's own API, in the version from which on it can change limits. */
const LIBPOD = '/v4.0.0/libpod';

export interface CallOptions {
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
  /** A tar or other stream as body. */
  stream?: Readable;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Milliseconds until the answer's headers; default 60 s; 0 = none. */
  timeoutMs?: number;
  /** A call of Podman's own API. */
  libpod?: boolean;
  /** Statuses that are an answer rather than an error; the caller reads `status`. */
  accept?: number[];
}

export interface EngineVersion {
  engine: 'docker' | 'podman';
  version: string;
  apiVersion: string;
  os: string;
  arch: string;
}

/** A thin client of the Docker API over a Unix socket; Podman's compatible socket speaks the same. */
export class EngineClient {
  readonly socketPath: string;
  readonly #agent: Agent;
  #version: Promise<EngineVersion> | undefined;

  constructor(socketPath: string) {
    this.socketPath = socketPath.replace(/^unix:\/\//, '');
    this.#agent = new Agent({
      connect: { socketPath: this.socketPath, timeout: 5_000 },
      connections: 64,
      pipelining: 1,
      bodyTimeout: 0,
    });
  }

  /** What answers at the socket; asked once. Throws ENGINE_UNREACHABLE or ENGINE_REFUSED. */
  version(): Promise<EngineVersion> {
    this.#version ??= this.#negotiate().catch((error) => {
      this.#version = undefined;
      throw error;
    });
    return this.#version;
  }

  async #negotiate(): Promise<EngineVersion> {
    const response = await this.#send('GET', '/version', { timeoutMs: 10_000 });
    const v = (await response.body.json()) as {
      Version: string;
      ApiVersion: string;
      Os: string;
      Arch: string;
      Components?: { Name: string }[];
    };
    if (compareVersions(v.ApiVersion, OLDEST_API) < 0) {
      throw new DriverError(
        'UNSUPPORTED',
        `the engine speaks API ${v.ApiVersion}; vgpu needs ${OLDEST_API} or newer`,
        'Upgrade Docker to 19.03 or later, or use Podman 4 or later.',
      );
    }
    const apiVersion = compareVersions(v.ApiVersion, NEWEST_API) > 0 ? NEWEST_API : v.ApiVersion;
    const podman = v.Components?.some((c) => c.Name.includes('Podman')) ?? false;
    return { engine: podman ? 'podman' : 'docker', version: v.Version, apiVersion, os: v.Os, arch: v.Arch };
  }

  /** One call; the answer's body as JSON (undefined when empty). Throws `DriverError`. */
  async json<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
    const response = await this.call(method, path, options);
    const text = await response.body.text();
    return (text ? JSON.parse(text) : undefined) as T;
  }

  /** One call; returns only its status, e.g. 204, 304 or one of `accept`. */
  async status(method: string, path: string, options: CallOptions = {}): Promise<number> {
    const response = await this.call(method, path, options);
    await response.body.dump();
    return response.statusCode;
  }

  /** One call; the body as a stream. The caller consumes or destroys it. */
  async stream(method: string, path: string, options: CallOptions = {}): Promise<Readable> {
    return (await this.call(method, path, options)).body;
  }

  async call(method: string, path: string, options: CallOptions = {}): Promise<Dispatcher.ResponseData> {
    const { apiVersion } = await this.version();
    const base = options.libpod ? LIBPOD : `/v${apiVersion}`;
    const response = await this.#send(method, `${base}${path}`, options);
    if (response.statusCode < 400 || options.accept?.includes(response.statusCode)) return response;
    const text = await response.body.text();
    let message = text.trim();
    try {
      message = (JSON.parse(text) as { message: string }).message ?? message;
    } catch {
      // Not every engine answers errors in JSON.
    }
    throw engineError(response.statusCode, message, path);
  }

  async #send(method: string, path: string, options: CallOptions): Promise<Dispatcher.ResponseData> {
    const query = Object.fromEntries(
      Object.entries(options.query ?? {})
        .filter(([, v]) => v !== undefined)
        .map(([k, v]) => [k, String(v)]),
    );
    const headers: Record<string, string> = { ...options.headers };
    let body: string | Readable | undefined = options.stream;
    if (options.body !== undefined) {
      body = JSON.stringify(options.body);
      headers['content-type'] = 'application/json';
    } else if (options.stream) headers['content-type'] ??= 'application/x-tar';
    try {
      return await request(`http://engine${path}`, {
        method: method as Dispatcher.HttpMethod,
        dispatcher: this.#agent,
        query,
        headers,
        body,
        signal: options.signal,
        headersTimeout: options.timeoutMs ?? 60_000,
        bodyTimeout: 0,
      });
    } catch (cause) {
      if (options.signal?.aborted) throw new DriverError('ABORTED', 'stopped', '', { cause });
      throw unreachable(this.socketPath, cause as NodeJS.ErrnoException);
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

function unreachable(socketPath: string, cause: NodeJS.ErrnoException): DriverError {
  const code = cause.code ?? (cause.cause as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'EACCES') {
    return new DriverError(
      'ENGINE_REFUSED',
      `no permission for the engine's socket ${socketPath}`,
      'Join the docker group (and log in again), or run vgpu as root.',
      { cause },
    );
  }
  const hint =
    code === 'ENOENT' || code === 'ECONNREFUSED'
      ? 'Is the engine running? vgpu setup starts one; vgpu doctor looks closer.'
      : 'vgpu doctor looks closer.';
  return new DriverError(
    'ENGINE_UNREACHABLE',
    `no engine answers at ${socketPath} (${code ?? cause.message})`,
    hint,
    { cause },
  );
}

function engineError(status: number, message: string, path: string): DriverError {
  if (status === 404 && /no such image|image not known/i.test(message)) {
    return new DriverError('IMAGE_NOT_FOUND', message, 'Build it with: vgpu image build', { status });
  }
  if (status === 404 && path.startsWith('/containers'))
    return new DriverError('WORKER_NOT_FOUND', message, '', { status });
  if (status === 409 && /already in use/i.test(message))
    return new DriverError('NAME_CONFLICT', message, '', { status });
  return new DriverError('ENGINE_FAILED', `the engine said: ${message} (${status})`, '', { status });
}

/** Orders `1.41` before `1.5`-style pairs by number. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((v) => v.split('.').map(Number)) as [number[], number[]];
  return left[0]! - right[0]! || (left[1] ?? 0) - (right[1] ?? 0);
}
