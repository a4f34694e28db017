import type { ServerFrame } from '@vgpu/api';

/** What a connection gives to its subscriptions. */
export interface Sink {
  /** Puts a frame on the wire. */
  send(frame: ServerFrame): void;
  /** Asks for `pump` to be called soon, after at least `delayMs` (default 0). */
  wake(subscription: Subscription, delayMs?: number): void;
}

/**
 * One topic that a client follows. Nothing is queued for it: `pump` takes what there is from where it stands, so
 * a slow client costs no memory and misses nothing.
 */
export interface Subscription {
  readonly topic: string;
  /** Sends at most one frame. Returns true while there is more to send. */
  pump(): Promise<boolean>;
  close(): void;
}
