import type { Store } from '@vgpu/store';
import type { Changes } from '../systems/changes.ts';
import type { Sink, Subscription } from './subscription.ts';

/** At most so many frames of ids a second: a burst of changes is told at once. */
const GATHER_MS = 100;

/** Topic `jobs`: ids of the jobs of a project that changed. */
export class JobsTopic implements Subscription {
  readonly topic = 'jobs';
  readonly #sink: Sink;
  readonly #ids: Set<string>;
  readonly #off: () => void;
  #next: number;
  #greeted = false;

  private constructor(sink: Sink, changes: Changes, project: string, ids: readonly string[]) {
    this.#sink = sink;
    this.#ids = new Set(ids);
    this.#next = changes.latest + 1;
    this.#off = changes.subscribe((change) => {
      if (change.project !== project) return;
      this.#ids.add(change.job);
      this.#next = Math.max(this.#next, change.seq + 1);
      sink.wake(this, GATHER_MS);
    });
  }

  /** @param from sequence number of the first change wanted; absent: only what comes from now on. */
  static async open(
    sink: Sink,
    parts: { store: Store; changes: Changes },
    project: string,
    from: number | undefined,
  ): Promise<JobsTopic> {
    const topic = new JobsTopic(sink, parts.changes, project, []);
    if (from !== undefined) {
      const rows = await parts.store.read
        .selectFrom('events')
        .select('job')
        .distinct()
        .where('project', '=', project)
        .where('seq', '>=', from)
        .where('job', 'is not', null)
        .execute();
      for (const row of rows) topic.#ids.add(row.job!);
    }
    return topic;
  }

  async pump(): Promise<boolean> {
    if (this.#ids.size === 0 && this.#greeted) return false;
    this.#greeted = true;
    const ids = [...this.#ids];
    this.#ids.clear();
    this.#sink.send({ type: 'jobs', topic: this.topic, next: this.#next, ids });
    return false;
  }

  close(): void {
    this.#off();
  }
}
