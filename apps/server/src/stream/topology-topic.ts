import type { TopologySystem } from '../systems/topology.ts';
import type { Sink, Subscription } from './subscription.ts';

const EVERY_MS = 1000;

/** Topic `topology`: a fresh topology every second. */
export class TopologyTopic implements Subscription {
  readonly topic = 'topology';
  readonly #sink: Sink;
  readonly #topology: TopologySystem;
  readonly #timer: NodeJS.Timeout;

  constructor(sink: Sink, topology: TopologySystem) {
    this.#sink = sink;
    this.#topology = topology;
    this.#timer = setInterval(() => sink.wake(this), EVERY_MS).unref();
  }

  async pump(): Promise<boolean> {
    this.#sink.send({ type: 'topology', topic: this.topic, topology: await this.#topology.look() });
    return false;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
