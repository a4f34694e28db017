import type { ClientFrame, ServerFrame } from '@vgpu/api';

/** `waiting` is between two attempts; `idle` is before the first subscription. */
export type StreamState = 'idle' | 'connecting' | 'open' | 'waiting';

export interface StreamStatus {
  state: StreamState;
  /** When the last connection broke, milliseconds since 1970; null while all is well. */
  brokenAt: number | null;
  /** When the next attempt starts, milliseconds since 1970; only while waiting. */
  retryAt: number | null;
}

type Handler = (frame: ServerFrame) => void;

interface Topic {
  handlers: Set<Handler>;
  next: number | undefined;
}

export interface StreamOptions {
  url: () => string;
  /** Shortest and longest pause before another attempt, in milliseconds. */
  backoff?: readonly [number, number];
  /** Milliseconds of silence after which a ping is sent; twice that and the connection counts as dead. */
  heartbeat?: number;
}

/**
 * The one WebSocket of the page. Each topic remembers the offset that follows the last frame seen, so that after
 * a break the subscription resumes exactly there.
 */
export class StreamSocket {
  #options: Required<StreamOptions>;
  #socket: WebSocket | null = null;
  #topics = new Map<string, Topic>();
  #status: StreamStatus = { state: 'idle', brokenAt: null, retryAt: null };
  #listeners = new Set<() => void>();
  #resumed = new Set<() => void>();
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pulse: ReturnType<typeof setInterval> | undefined;
  #heardAt = 0;

  constructor(options: StreamOptions) {
    this.#options = { backoff: [400, 10_000], heartbeat: 15_000, ...options };
  }

  get status(): StreamStatus {
    return this.#status;
  }

  /** Calls `listener` at each change of {@link status}. */
  onStatus = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Calls `listener` when a connection stands again after a break. */
  onResumed(listener: () => void): () => void {
    this.#resumed.add(listener);
    return () => this.#resumed.delete(listener);
  }

  /**
   * Hears a topic from `from` on (from now on, or with its present state, where not given).
   * A topic that is already heard is not sent again from its start.
   */
  subscribe(name: string, handler: Handler, from?: number): () => void {
    let topic = this.#topics.get(name);
    if (!topic) {
      topic = { handlers: new Set(), next: from };
      this.#topics.set(name, topic);
      this.#send({ op: 'subscribe', topic: name, from });
    }
    topic.handlers.add(handler);
    this.#connect();
    return () => {
      topic.handlers.delete(handler);
      if (topic.handlers.size > 0 || this.#topics.get(name) !== topic) return;
      this.#topics.delete(name);
      this.#send({ op: 'unsubscribe', topic: name });
    };
  }

  /** Tries at once instead of waiting for the next attempt. */
  retryNow(): void {
    if (this.#status.state !== 'waiting') return;
    clearTimeout(this.#timer);
    this.#connect(true);
  }

  /** Closes for good: when the user signs out. */
  close(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#pulse);
    this.#topics.clear();
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#set({ state: 'idle', brokenAt: null, retryAt: null });
  }

  #set(status: StreamStatus): void {
    this.#status = status;
    for (const tell of this.#listeners) tell();
  }

  #send(frame: ClientFrame): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #connect(now = false): void {
    if (this.#socket || (this.#status.state === 'waiting' && !now)) return;
    this.#set({ ...this.#status, state: 'connecting', retryAt: null });
    const socket = new WebSocket(this.#options.url());
    this.#socket = socket;
    socket.onopen = () => this.#opened(socket);
    socket.onmessage = (event) => this.#heard(socket, String(event.data));
    socket.onclose = () => this.#broke(socket);
  }

  #opened(socket: WebSocket): void {
    if (socket !== this.#socket) {
      socket.close();
      return;
    }
    const resumes = this.#status.brokenAt !== null;
    this.#attempt = 0;
    this.#heardAt = Date.now();
    clearInterval(this.#pulse);
    this.#pulse = setInterval(() => this.#beat(socket), this.#options.heartbeat);
    for (const [topic, { next }] of this.#topics) this.#send({ op: 'subscribe', topic, from: next });
    this.#set({ state: 'open', brokenAt: null, retryAt: null });
    if (resumes) for (const tell of this.#resumed) tell();
  }

  #beat(socket: WebSocket): void {
    const silent = Date.now() - this.#heardAt;
    if (silent > 2 * this.#options.heartbeat) {
      socket.close();
      this.#broke(socket); // a dead peer never answers the close
    } else if (silent >= this.#options.heartbeat) this.#send({ op: 'ping' });
  }

  #heard(socket: WebSocket, text: string): void {
    if (socket !== this.#socket) return;
    this.#heardAt = Date.now();
    const frame = JSON.parse(text) as ServerFrame;
    if (frame.type === 'pong' || frame.topic === null) return;
    const topic = this.#topics.get(frame.topic);
    if (!topic) return;
    if ('next' in frame) topic.next = frame.next;
    for (const handle of topic.handlers) handle(frame);
  }

  #broke(socket: WebSocket): void {
    if (socket !== this.#socket) return;
    this.#socket = null;
    clearInterval(this.#pulse);
    const [least, most] = this.#options.backoff;
    const pause = Math.min(most, least * 2 ** this.#attempt++) * (0.75 + Math.random() / 2);
    this.#set({
      state: 'waiting',
      brokenAt: this.#status.brokenAt ?? Date.now(),
      retryAt: Date.now() + pause,
    });
    this.#timer = setTimeout(() => this.#connect(true), pause);
  }
}
