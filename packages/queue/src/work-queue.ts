/** A message as its consumer sees it. The payload never changes after it was enqueued. */
export interface Message<T = unknown> {
  readonly id: string;
  readonly topic: string;
  readonly project: string;
  readonly payload: T;
  /** Deliveries so far, this one included. */
  readonly deliveries: number;
  /** Proof of the lease: ack, nack and extend work only with the latest one. */
  readonly lease: string;
  /** Epoch ms at which the message becomes visible to others again. */
  readonly leasedUntil: number;
}

export interface NewMessage {
  readonly topic: string;
  readonly project: string;
  /** Anything that JSON can carry. */
  readonly payload: unknown;
  /** Milliseconds until it may be delivered; default 0. */
  readonly delayMs?: number;
  /** Deliveries before it is dead; default 5. */
  readonly maxDeliveries?: number;
  /** A message with this key that is neither done nor dead makes the new one a no-op. */
  readonly key?: string;
}

export interface LeaseOptions {
  /** Most messages to take; default 1. */
  readonly limit?: number;
  /** How long they stay invisible to others; default 30,000. */
  readonly visibilityMs?: number;
}

export interface DeadMessage {
  readonly id: string;
  readonly topic: string;
  readonly project: string;
  readonly payload: unknown;
  readonly deliveries: number;
  readonly error: string;
  readonly deadAt: number;
}

export interface QueueDepth {
  /** Deliverable now. */
  readonly ready: number;
  readonly delayed: number;
  readonly leased: number;
  readonly dead: number;
}

/**
 * Durable work: what `enqueue` acknowledged is delivered at least once, until somebody acknowledges it or it
 * is dead. Order within a topic is by time of visibility, then age. All times are milliseconds.
 */
export interface WorkQueue {
  /** Resolves once the messages are durable, with their ids (of the earlier message where a key is known). */
  enqueue(messages: readonly NewMessage[]): Promise<string[]>;
  /** Takes messages that are due; an empty array when there are none. */
  lease(topic: string, options?: LeaseOptions): Promise<Message[]>;
  /** Done: it never comes back. False when the lease was lost meanwhile (somebody else has it). */
  ack(messages: Message | readonly Message[]): Promise<boolean>;
  /** Not done: deliver again after `delayMs` (default 0), or bury it once its deliveries are used up. */
  nack(message: Message, options?: { delayMs?: number; error?: string }): Promise<boolean>;
  /** Keeps the lease for `visibilityMs` more, from now. */
  extend(message: Message, visibilityMs: number): Promise<boolean>;
  /** Buries it at once. */
  bury(message: Message, error: string): Promise<boolean>;
  dead(topic: string, limit?: number): Promise<DeadMessage[]>;
  /** Gives a dead message new deliveries. */
  revive(id: string): Promise<boolean>;
  depth(topic: string): Promise<QueueDepth>;
  /** Calls back when something may be deliverable, so that nobody has to poll fast. Returns the unsubscriber. */
  onReady(topic: string, listener: () => void): () => void;
}
