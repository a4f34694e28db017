import type { Changes } from '../systems/changes.ts';
import type { JobQueries } from '../systems/job-queries.ts';
import { taskLines } from '../systems/task-lines.ts';
import type { Telemetry } from '../systems/telemetry.ts';
import type { Sink, Subscription } from './subscription.ts';

/** Lines in one frame. */
const FRAME_LINES = 1000;
/** Lines that come within this time go into one frame. */
const GATHER_MS = 10;

/** Topic `logs:<task>`: lines from a number on. A client that comes back names the next it wants. */
export class LogsTopic implements Subscription {
  readonly topic: string;
  readonly #sink: Sink;
  readonly #parts: { telemetry: Telemetry; queries: JobQueries };
  readonly #project: string;
  readonly #task: string;
  readonly #off: (() => void)[];
  #next: number;
  #toldClosed = false;
  #first = true;

  constructor(
    sink: Sink,
    parts: { changes: Changes; queries: JobQueries; telemetry: Telemetry },
    topic: string,
    at: { project: string; task: string; from: number },
  ) {
    this.topic = topic;
    this.#sink = sink;
    this.#parts = parts;
    this.#project = at.project;
    this.#task = at.task;
    this.#next = at.from;
    this.#off = [
      parts.telemetry.onLive((task, _job, events) => {
        if (task !== at.task) return;
        if (events.some((event) => event.type === 'lines' || event.type === 'ended'))
          sink.wake(this, GATHER_MS);
      }),
      parts.changes.subscribe((change) => {
        if (change.task === at.task) sink.wake(this);
      }),
    ];
  }

  async pump(): Promise<boolean> {
    const page = await taskLines(this.#parts, this.#project, this.#task, this.#next, FRAME_LINES);
    const last = page.items.at(-1);
    // Lines that are gone (a log beyond its bound) are skipped rather than waited for.
    this.#next = last ? last.seq + 1 : Math.max(this.#next, page.total);
    const more = this.#next < page.total;
    const closes = !page.open && !more && !this.#toldClosed;
    if (page.open) this.#toldClosed = false;
    if (page.items.length > 0 || closes || this.#first) {
      if (closes) this.#toldClosed = true;
      this.#first = false;
      this.#sink.send({
        type: 'logs',
        topic: this.topic,
        next: this.#next,
        lines: page.items,
        dropped: page.dropped,
        open: page.open || more,
      });
    }
    return more;
  }

  close(): void {
    for (const off of this.#off) off();
  }
}
