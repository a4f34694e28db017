import type { Store } from '@vgpu/store';
import {
  type LogLine,
  LogStore,
  openRing,
  RingPoller,
  type RingReader,
  type SeriesPoint,
  TaskTelemetry,
  type TelemetryEvent,
  type TelemetrySnapshot,
} from '@vgpu/telemetry';
import type { Logger } from 'pino';
import { SeriesFiles } from './series-files.ts';
import { summaryOf, type TelemetrySummary } from './telemetry-summary.ts';

export interface Attach {
  task: string;
  job: string;
  ringPath: string;
  /** Its number: beyond the first, the log goes on after a line that says so. */
  attempt: number;
  /** It ran before this process: what is in the store and in the series file is its past. */
  resumed?: boolean;
}

interface Followed {
  task: string;
  job: string;
  telemetry: TaskTelemetry;
  ring: RingReader;
  stop: () => void;
  /** Metrics and series from before a restart. */
  earlier: { metrics: Record<string, number>; series: Record<string, SeriesPoint[]> };
  savedOffset: number;
  seriesSavedAt: number;
}

export type LiveListener = (task: string, job: string, events: readonly TelemetryEvent[]) => void;

export interface LinePage {
  items: LogLine[];
  total: number;
  dropped: number;
  open: boolean;
}

/**
 * How often what running tasks said is put on disk. Until then it stays in their rings, so that a server which is
 * killed in between loses nothing: the next one reads it again.
 */
const SAVE_MS = 500;
/** Series are whole files, so they are written less often. */
const SERIES_MS = 5000;

/** Follows the rings of running tasks, keeps their logs and series, and answers what they say now. */
export class Telemetry {
  readonly #store: Store;
  readonly logs: LogStore;
  readonly #series: SeriesFiles;
  readonly #log: Logger;
  readonly #poller = new RingPoller();
  readonly #tasks = new Map<string, Followed>();
  readonly #listeners = new Set<LiveListener>();
  #attaching = new Map<string, Promise<void>>();
  #saver: NodeJS.Timeout | undefined;
  #saving: Promise<void> = Promise.resolve();

  constructor(parts: { store: Store; logsDir: string; log: Logger }) {
    this.#store = parts.store;
    this.logs = new LogStore(parts.logsDir);
    this.#series = new SeriesFiles(parts.logsDir);
    this.#log = parts.log;
  }

  /** Starts following a task's ring. Problems are logged: a task runs on without its telemetry. */
  attach(request: Attach): void {
    const done = this.#attach(request)
      .catch((error) => this.#log.error({ err: error, task: request.task }, 'telemetry cannot be followed'))
      .finally(() => this.#attaching.delete(request.task));
    this.#attaching.set(request.task, done);
  }

  /** Whether a task's ring is being followed, or about to be. */
  follows(task: string): boolean {
    return this.#tasks.has(task) || this.#attaching.has(task);
  }

  /** Reads what is left, closes the log and the series, and says what came of it; undefined if never followed. */
  async finish(task: string): Promise<TelemetrySummary | undefined> {
    await this.#attaching.get(task);
    const followed = this.#tasks.get(task);
    if (!followed) return undefined;
    followed.stop();
    followed.telemetry.end();
    await this.logs.finish(task).catch((error) => {
      this.#log.error({ err: error, task }, 'a log was not kept to its end');
    });
    await this.#series.save(task, this.#allSeries(followed)).catch((error) => {
      this.#log.error({ err: error, task }, 'the series of a task were not kept');
    });
    this.#tasks.delete(task);
    return summaryOf(followed.telemetry.snapshot(), followed.earlier.metrics);
  }

  /** What a running task says now; undefined when it is not followed. */
  snapshot(task: string): TelemetrySnapshot | undefined {
    return this.#tasks.get(task)?.telemetry.snapshot();
  }

  /** Follows the events of all running tasks. */
  onLive(listener: LiveListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Lines of a task from number `from` on, at most `limit`.
   * @param known number of lines by the store, for a task that has ended.
   */
  async lines(
    task: string,
    from: number,
    limit: number,
    known: { lines: number; dropped: number; open: boolean },
  ): Promise<LinePage> {
    const followed = this.#tasks.get(task);
    const snapshot = followed?.telemetry.snapshot();
    const total = snapshot?.lines ?? known.lines;
    const dropped = snapshot?.dropped.bytes ?? known.dropped;
    const start = Math.max(0, from < 0 ? total + from : from);
    const items = start >= total ? [] : await (await this.logs.log(task)).read(start, limit);
    return { items, total, dropped, open: known.open };
  }

  /** Names of the metrics of a task, and each one's points, at most `max`. */
  async series(
    task: string,
    names: readonly string[] | undefined,
    max: number,
  ): Promise<{ name: string; points: SeriesPoint[]; total: number }[]> {
    const followed = this.#tasks.get(task);
    const all = followed ? this.#allSeries(followed) : await this.#series.read(task);
    return this.#series.pick(all, names, max);
  }

  async remove(task: string): Promise<void> {
    await this.logs.remove(task);
    await this.#series.remove(task);
  }

  /** Saves what running tasks said, and stops. Their rings go on filling; the next process reads on. */
  async close(): Promise<void> {
    clearInterval(this.#saver);
    await this.#saving;
    await Promise.allSettled(this.#attaching.values());
    await this.#save();
    for (const followed of this.#tasks.values()) followed.stop();
    await this.logs.close();
    this.#poller.close();
    this.#tasks.clear();
  }

  async #attach({ task, job, ringPath, attempt, resumed }: Attach): Promise<void> {
    if (this.#tasks.has(task)) return;
    const ring = openRing(ringPath, { commit: 'manual' });
    const past = await this.#store.read
      .selectFrom('tasks')
      .select('metrics')
      .where('id', '=', task)
      .executeTakeFirst();
    const log = await this.logs.writer(task);
    // What an earlier process read but did not keep comes again; lines that the log has are not doubled.
    let firstSeq = resumed ? Math.min(ring.mark, log.next) : log.next;
    if (!resumed) {
      if (attempt > 1) {
        const text = `[vgpu] attempt ${attempt} starts here`;
        log.append([{ seq: firstSeq++, time: Date.now(), stream: 'system', kind: 'log', text }]);
      }
      ring.commit(ring.position, firstSeq);
    }
    const telemetry = new TaskTelemetry({ log, firstSeq });
    telemetry.subscribe((events) => {
      for (const listener of this.#listeners) listener(task, job, events);
    });
    this.#tasks.set(task, {
      task,
      job,
      telemetry,
      ring,
      stop: this.#poller.add(ring, { records: telemetry.records, end: telemetry.end }),
      earlier: {
        metrics: resumed ? (JSON.parse(past?.metrics ?? '{}') as Record<string, number>) : {},
        series: resumed ? await this.#series.read(task) : {},
      },
      savedOffset: 0,
      seriesSavedAt: 0,
    });
    this.#saver ??= setInterval(() => {
      this.#saving = this.#saving.then(() => this.#save());
    }, SAVE_MS).unref();
  }

  /** Saves what changed since the last time: logs, then all rows in one commit, then the rings may forget it. */
  async #save(): Promise<void> {
    const changed = [...this.#tasks.values()]
      .map((followed) => ({
        followed,
        snapshot: followed.telemetry.snapshot(),
        position: followed.ring.position,
      }))
      .filter(({ followed, snapshot }) => snapshot.offset !== followed.savedOffset);
    if (changed.length === 0) return;
    try {
      await Promise.all(changed.map(async ({ followed }) => (await this.logs.log(followed.task)).flush()));
      await this.#store.write(async (trx) => {
        for (const { followed, snapshot } of changed) {
          const { columns } = summaryOf(snapshot, followed.earlier.metrics);
          await trx.updateTable('tasks').set(columns).where('id', '=', followed.task).execute();
        }
      });
      for (const { followed, snapshot, position } of changed) {
        followed.savedOffset = snapshot.offset;
        followed.ring.commit(position, snapshot.lines);
        if (Date.now() - followed.seriesSavedAt < SERIES_MS) continue;
        followed.seriesSavedAt = Date.now();
        await this.#series.save(followed.task, this.#allSeries(followed));
      }
    } catch (error) {
      this.#log.warn({ err: error }, 'telemetry was not saved; it is tried again');
    }
  }

  #allSeries({ telemetry, earlier }: Followed): Record<string, SeriesPoint[]> {
    const all: Record<string, SeriesPoint[]> = { ...earlier.series };
    for (const name of telemetry.metricNames) {
      all[name] = [...(earlier.series[name] ?? []), ...telemetry.series(name, 4096)];
    }
    return all;
  }
}
