import type { Progress } from '@vgpu/api';
import { VgpuError } from '@vgpu/core';
import type { TelemetryEvent } from '@vgpu/telemetry';
import type { Changes } from '../systems/changes.ts';
import type { JobQueries } from '../systems/job-queries.ts';
import type { Telemetry } from '../systems/telemetry.ts';
import { progressView } from '../views/progress-view.ts';
import type { Sink, Subscription } from './subscription.ts';

/** Live figures of a task are sent at most this often. */
const LIVE_MS = 100;
/** Points that wait for a slow client; older ones go, the series route has them all. */
const MAX_POINTS = 2000;

interface Live {
  progress: Progress | null;
  liveLine: string | null;
  points: [string, number, number, number][];
}

export interface JobTopicParts {
  changes: Changes;
  queries: JobQueries;
  telemetry: Telemetry;
}

/** Topic `job:<id>`: the whole job, then its tasks as they change and what they say while they run. */
export class JobTopic implements Subscription {
  readonly topic: string;
  readonly #sink: Sink;
  readonly #parts: JobTopicParts;
  readonly #project: string;
  readonly #job: string;
  readonly #tasks = new Set<string>();
  readonly #live = new Map<string, Live>();
  readonly #off: (() => void)[];
  #whole = true;
  #next: number;

  constructor(sink: Sink, parts: JobTopicParts, topic: string, project: string, job: string) {
    this.topic = topic;
    this.#sink = sink;
    this.#parts = parts;
    this.#project = project;
    this.#job = job;
    this.#next = parts.changes.latest + 1;
    this.#off = [
      parts.changes.subscribe((change) => {
        if (change.job !== job) return;
        this.#next = change.seq + 1;
        if (change.task) this.#tasks.add(change.task);
        else this.#whole = true;
        sink.wake(this);
      }),
      parts.telemetry.onLive((task, of, events) => {
        if (of === job && this.#take(task, events)) sink.wake(this, LIVE_MS);
      }),
    ];
  }

  async pump(): Promise<boolean> {
    if (this.#whole) {
      this.#whole = false;
      this.#tasks.clear();
      await this.#sendWhole();
    } else if (this.#tasks.size > 0) {
      const [task] = this.#tasks;
      this.#tasks.delete(task!);
      this.#sink.send({
        type: 'task',
        topic: this.topic,
        next: this.#next,
        task: await this.#parts.queries.task(this.#project, task!),
      });
    } else {
      const [entry] = this.#live;
      if (!entry) return false;
      const [task, live] = entry;
      this.#live.delete(task);
      this.#sink.send({ type: 'live', topic: this.topic, task, ...live });
    }
    return this.#tasks.size > 0 || this.#live.size > 0 || this.#whole;
  }

  close(): void {
    for (const off of this.#off) off();
  }

  async #sendWhole(): Promise<void> {
    try {
      const job = await this.#parts.queries.job(this.#project, this.#job);
      this.#sink.send({ type: 'job', topic: this.topic, next: this.#next, job });
    } catch (error) {
      if (!(error instanceof VgpuError) || error.code !== 'NOT_FOUND') throw error;
      this.#sink.send({ type: 'gone', topic: this.topic });
    }
  }

  /** Gathers what a task said; true when there is something to show. */
  #take(task: string, events: readonly TelemetryEvent[]): boolean {
    const live = this.#live.get(task) ?? this.#fresh(task);
    let changed = false;
    for (const event of events) {
      if (event.type === 'progress') live.progress = progressView(event.progress);
      else if (event.type === 'live') live.liveLine = event.text || null;
      else if (event.type === 'metrics') {
        for (const point of event.points) {
          if (Number.isFinite(point.value))
            live.points.push([point.name, point.step ?? -1, point.time, point.value]);
        }
        if (live.points.length > MAX_POINTS) live.points.splice(0, live.points.length - MAX_POINTS);
      } else continue;
      changed = true;
    }
    if (changed) this.#live.set(task, live);
    return changed;
  }

  #fresh(task: string): Live {
    const snapshot = this.#parts.telemetry.snapshot(task);
    const line = snapshot && (snapshot.live.stderr || snapshot.live.stdout);
    return {
      progress: snapshot?.progress ? progressView(snapshot.progress) : null,
      liveLine: line || null,
      points: [],
    };
  }
}
