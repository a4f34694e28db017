import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { DriverError } from '../errors.ts';

/** What the supervisor of a worker says; see docs/worker.md. Shapes are checked before use. */
export type SupervisorMessage =
  | { event: 'ready'; warm: boolean; python?: string }
  | { event: 'started'; at: number }
  | { event: 'refused'; message: string }
  | SupervisorExit;

export interface SupervisorExit {
  event: 'exit';
  code: number;
  signal: string | null;
  oom: boolean;
  oomKills: number;
  timedOut: boolean;
  stopped: boolean;
  exception: { type: string; message: string; traceback: string } | null;
  startedAt: number | null;
  endedAt: number;
}

/** O_PATH is not among Node's constants. Same value on x86-64 and arm64 (asm-generic/fcntl.h). */
const O_PATH = 0o10000000;
const MAX_LINE = 256 * 1024;

/**
 * Connects to a Unix socket in a folder that the worker may write. The path is opened without following links
 * and proven to be a socket before it is used, and the connection goes through that very descriptor, so nothing
 * can be swapped in between. Throws WORKER_NOT_FOUND (no such socket) or PORT_REFUSED.
 */
export async function connectInside(path: string, timeoutMs = 5000): Promise<Socket> {
  let fd: number;
  try {
    fd = openSync(path, O_PATH | constants.O_NOFOLLOW);
  } catch (cause) {
    throw new DriverError('WORKER_NOT_FOUND', `no socket at ${path}`, '', { cause });
  }
  return new Promise<Socket>((resolve, reject) => {
    if (!fstatSync(fd).isSocket()) {
      closeSync(fd);
      reject(new DriverError('PORT_REFUSED', `${path} is not a socket`));
      return;
    }
    const socket = createConnection({ path: `/proc/self/fd/${fd}` });
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('timed out')));
    socket.once('connect', () => {
      closeSync(fd);
      socket.setTimeout(0);
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', (cause) => {
      closeSync(fd);
      reject(new DriverError('PORT_REFUSED', `cannot connect to ${path}: ${cause.message}`, '', { cause }));
    });
  });
}

/** The order stream to one supervisor. */
export class ControlChannel {
  readonly #socket: Socket;
  #inbox = '';

  constructor(socket: Socket, on: { message: (message: SupervisorMessage) => void; close: () => void }) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    socket.on('data', (text: string) => {
      this.#inbox += text;
      const lines = this.#inbox.split('\n');
      this.#inbox = lines.pop() ?? '';
      // A well-behaved supervisor never comes near this; a program that took its place may.
      if (this.#inbox.length > MAX_LINE) socket.destroy();
      for (const line of lines) {
        const message = parseMessage(line);
        if (message) on.message(message);
      }
    });
    socket.on('close', on.close);
  }

  static async open(
    path: string,
    on: { message: (message: SupervisorMessage) => void; close: () => void },
  ): Promise<ControlChannel> {
    return new ControlChannel(await connectInside(path), on);
  }

  send(order: unknown): void {
    this.#socket.write(`${JSON.stringify(order)}\n`);
  }

  close(): void {
    this.#socket.removeAllListeners('close');
    this.#socket.destroy();
  }
}

const text = (value: unknown, max: number): string => (typeof value === 'string' ? value.slice(0, max) : '');
const numberOr = <T>(value: unknown, otherwise: T): number | T =>
  typeof value === 'number' && Number.isFinite(value) ? value : otherwise;

/** Reads one line as a message; undefined for anything that is none. Every field is bounded and typed. */
export function parseMessage(line: string): SupervisorMessage | undefined {
  let raw: Record<string, unknown>;
  try {
    raw = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  if (typeof raw !== 'object' || raw === null) return undefined;
  switch (raw.event) {
    case 'ready':
      return { event: 'ready', warm: raw.warm === true, python: text(raw.python, 50) };
    case 'started':
      return { event: 'started', at: numberOr(raw.at, Date.now()) };
    case 'refused':
      return { event: 'refused', message: text(raw.message, 500) };
    case 'exit': {
      const e = raw.exception as Record<string, unknown> | null;
      const exception =
        e && typeof e === 'object'
          ? { type: text(e.type, 200), message: text(e.message, 4096), traceback: text(e.traceback, 16_384) }
          : null;
      return {
        event: 'exit',
        code: numberOr(raw.code, 1) & 0xff,
        signal: typeof raw.signal === 'string' ? raw.signal.slice(0, 20) : null,
        oom: raw.oom === true,
        oomKills: numberOr(raw.oomKills, 0),
        timedOut: raw.timedOut === true,
        stopped: raw.stopped === true,
        exception,
        startedAt: numberOr(raw.startedAt, null),
        endedAt: numberOr(raw.endedAt, Date.now()),
      };
    }
    default:
      return undefined;
  }
}
