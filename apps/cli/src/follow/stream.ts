import type { ClientFrame, ServerFrame } from '@vgpu/api';
import { VgpuError } from '@vgpu/core';
import type { Connection } from '../context/connection.ts';

/** How long a lost server is looked for before following it is given up. */
const patienceMs = 30_000;
const retryMs = 250;

/**
 * The WebSocket of the API, kept up across breaks: each topic is subscribed again from its last offset, so that no
 * frame is lost or seen twice.
 */
export class Stream {
  readonly #connection: Connection;
  readonly #topics = new Map<string, number | undefined>();
  readonly #onFrame: (frame: ServerFrame) => void;
  readonly #onLost: (error: Error) => void;
  #socket: WebSocket | undefined;
  #closed = false;
  #lostAt: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(connection: Connection, onFrame: (frame: ServerFrame) => void, onLost: (error: Error) => void) {
    this.#connection = connection;
    this.#onFrame = onFrame;
    this.#onLost = onLost;
    this.#open();
  }

  subscribe(topic: string, from?: number): void {
    this.#topics.set(topic, from);
    this.#send({ op: 'subscribe', topic, from });
  }

  unsubscribe(topic: string): void {
    if (this.#topics.delete(topic)) this.#send({ op: 'unsubscribe', topic });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #send(frame: ClientFrame): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #open(): void {
    const url = `${this.#connection.url.replace(/^http/, 'ws').replace(/\/+$/, '')}/v1/stream`;
    const headers = this.#connection.token ? { authorization: `Bearer ${this.#connection.token}` } : {};
    // Node's WebSocket takes headers beside the protocols of the standard.
    const socket = new WebSocket(url, { headers } as unknown as string[]);
    this.#socket = socket;
    socket.onopen = () => {
      this.#lostAt = undefined;
      for (const [topic, from] of this.#topics) this.#send({ op: 'subscribe', topic, from });
    };
    socket.onmessage = (event) => {
      const frame = JSON.parse(String(event.data)) as ServerFrame;
      if ('next' in frame && this.#topics.has(frame.topic)) this.#topics.set(frame.topic, frame.next);
      this.#onFrame(frame);
    };
    socket.onerror = () => {}; // a close follows
    socket.onclose = () => this.#again();
  }

  #again(): void {
    if (this.#closed) return;
    this.#lostAt ??= Date.now();
    if (Date.now() - this.#lostAt > patienceMs) {
      this.#closed = true;
      this.#onLost(new VgpuError('SERVER_UNREACHABLE', { url: this.#connection.url }));
      return;
    }
    this.#timer = setTimeout(() => this.#open(), retryMs);
  }
}
