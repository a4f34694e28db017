import type { Message, WorkQueue } from '@vgpu/queue';
import type { Logger } from 'pino';
import { rounds, type WorkPayload, type WorkTopic, workCatalogue } from './catalogue.ts';

export type WorkHandlers = {
  [T in WorkTopic]: (payload: WorkPayload<T>, signal: AbortSignal) => Promise<void>;
};

/** Does the durable background work: takes it from the queue, one at a time a topic, as the catalogue says. */
export class WorkRunner {
  readonly #queue: WorkQueue;
  readonly #handlers: WorkHandlers;
  readonly #log: Logger;
  readonly #running = new Map<WorkTopic, Promise<void>>();
  readonly #stop = new AbortController();
  readonly #off: (() => void)[] = [];

  constructor(queue: WorkQueue, handlers: WorkHandlers, log: Logger) {
    this.#queue = queue;
    this.#handlers = handlers;
    this.#log = log;
  }

  start(): void {
    for (const topic of Object.keys(workCatalogue) as WorkTopic[]) {
      this.#off.push(this.#queue.onReady(topic, () => this.#wake(topic)));
      const timer = setInterval(() => this.#wake(topic), rounds.work.everyMs).unref();
      this.#off.push(() => clearInterval(timer));
      this.#wake(topic);
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    for (const off of this.#off) off();
    await Promise.allSettled(this.#running.values());
  }

  #wake(topic: WorkTopic): void {
    if (this.#running.has(topic) || this.#stop.signal.aborted) return;
    const work = this.#drain(topic)
      .catch((error) => this.#log.error({ err: error, topic }, 'the work queue failed'))
      .finally(() => this.#running.delete(topic));
    this.#running.set(topic, work);
  }

  async #drain(topic: WorkTopic): Promise<void> {
    const { timeoutMs } = workCatalogue[topic];
    while (!this.#stop.signal.aborted) {
      const [message] = await this.#queue.lease(topic, { visibilityMs: timeoutMs });
      if (!message) return;
      await this.#do(topic, message);
    }
  }

  async #do(topic: WorkTopic, message: Message): Promise<void> {
    const { schema, timeoutMs, tries, backoffMs } = workCatalogue[topic];
    try {
      const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(timeoutMs)]);
      await this.#handlers[topic](schema.parse(message.payload), signal);
      await this.#queue.ack(message);
    } catch (error) {
      const problem = (error as Error).message;
      this.#log.warn({ topic, problem, deliveries: message.deliveries }, 'background work failed');
      if (message.deliveries >= tries) await this.#queue.bury(message, problem);
      else
        await this.#queue.nack(message, {
          delayMs: backoffMs * 2 ** (message.deliveries - 1),
          error: problem,
        });
    }
  }
}
