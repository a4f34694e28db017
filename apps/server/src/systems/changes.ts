/** Something about a job or a task is different now, and durable. */
export interface Change {
  /** Number of the event in the store; listeners that come back ask from the next one. */
  seq: number;
  project: string;
  job: string;
  /** Absent where the job as a whole changed (submitted, removed). */
  task?: string;
}

type Listener = (change: Change) => void;

/** Tells whoever listens what changed, after it was committed. */
export class Changes {
  readonly #listeners = new Set<Listener>();
  /** The highest sequence number published or known at start. */
  latest = 0;

  publish(change: Change): void {
    this.latest = Math.max(this.latest, change.seq);
    for (const listener of this.#listeners) listener(change);
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
