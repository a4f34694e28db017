import type { WebSocket } from '@fastify/websocket';
import { clientFrame, type ServerFrame } from '@vgpu/api';
import { VgpuError } from '@vgpu/core';
import { knownError } from '../http/error-answers.ts';
import type { Sink, Subscription } from './subscription.ts';

/** Beyond this many bytes on their way to a client nothing more is sent to it until it has read some. */
const HIGH_WATER = 1024 * 1024;
const RETRY_MS = 15;
const MAX_TOPICS = 200;

/** Makes the subscription of a topic; throws `VgpuError` where there is no such thing. */
export type OpenTopic = (topic: string, from: number | undefined, sink: Sink) => Promise<Subscription>;

/** One WebSocket: takes subscribe and unsubscribe, and lets each topic send when the client keeps up. */
export class StreamConnection implements Sink {
  readonly #socket: WebSocket;
  readonly #open: OpenTopic;
  readonly #topics = new Map<string, Subscription>();
  readonly #due = new Set<Subscription>();
  readonly #timers = new Map<Subscription, NodeJS.Timeout>();
  #pumping = false;
  #closed = false;

  constructor(socket: WebSocket, open: OpenTopic) {
    this.#socket = socket;
    this.#open = open;
    socket.on('message', (data: Buffer) => void this.#take(data.toString()));
    socket.on('close', () => this.close());
    socket.on('error', () => this.close());
  }

  send(frame: ServerFrame): void {
    if (!this.#closed) this.#socket.send(JSON.stringify(frame));
  }

  wake(subscription: Subscription, delayMs = 0): void {
    if (this.#closed || this.#due.has(subscription) || this.#timers.has(subscription)) return;
    if (delayMs === 0) {
      this.#due.add(subscription);
      this.#run();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(subscription);
      this.#due.add(subscription);
      this.#run();
    }, delayMs);
    this.#timers.set(subscription, timer);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const subscription of this.#topics.values()) subscription.close();
    this.#topics.clear();
    this.#socket.close();
  }

  async #take(text: string): Promise<void> {
    let topic: string | null = null;
    try {
      const frame = clientFrame.parse(JSON.parse(text));
      if (frame.op === 'ping') return this.send({ type: 'pong' });
      topic = frame.topic;
      this.#drop(topic);
      if (frame.op === 'unsubscribe') return;
      if (this.#topics.size >= MAX_TOPICS) {
        throw new VgpuError('BAD_REQUEST', { problem: `more than ${MAX_TOPICS} topics on one connection` });
      }
      const subscription = await this.#open(topic, frame.from, this);
      if (this.#closed) return subscription.close();
      this.#drop(topic);
      this.#topics.set(topic, subscription);
      this.wake(subscription);
    } catch (error) {
      const known =
        error instanceof SyntaxError || (error as Error).name === 'ZodError'
          ? new VgpuError('BAD_REQUEST', { problem: 'a frame that is none of the contract' })
          : knownError(error, '-');
      const { code, message, hint } = known;
      this.send({ type: 'error', topic, error: { code, message, hint } });
    }
  }

  #drop(topic: string): void {
    const subscription = this.#topics.get(topic);
    if (!subscription) return;
    this.#topics.delete(topic);
    this.#due.delete(subscription);
    clearTimeout(this.#timers.get(subscription));
    this.#timers.delete(subscription);
    subscription.close();
  }

  #run(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(() => void this.#pump());
  }

  /** Lets each topic that is due send one frame in turn, as long as the client takes them. */
  async #pump(): Promise<void> {
    while (this.#due.size > 0 && !this.#closed) {
      if (this.#socket.bufferedAmount > HIGH_WATER) {
        setTimeout(() => void this.#pump(), RETRY_MS).unref();
        return;
      }
      const [subscription] = this.#due;
      this.#due.delete(subscription!);
      try {
        if (await subscription!.pump()) this.#due.add(subscription!);
      } catch (error) {
        const { code, message, hint } = knownError(error, '-');
        this.send({ type: 'error', topic: subscription!.topic, error: { code, message, hint } });
      }
    }
    this.#pumping = false;
    if (this.#due.size > 0 && !this.#closed) this.#run();
  }
}
