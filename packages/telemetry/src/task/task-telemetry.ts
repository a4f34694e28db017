import { LineParser } from '../parsers/registry.ts';
import type { RingRecord } from '../ring/record.ts';
import type { SeriesPoint } from '../series/decimate.ts';
import { MetricSeries, type MetricValue } from '../series/metric-series.ts';
import { type Assembled, LineAssembler } from '../terminal/lines.ts';
import type {
  ExceptionInfo,
  LogLine,
  MetricPoint,
  MetricSource,
  Parsed,
  Progress,
  Report,
  TelemetryEvent,
  TelemetryPayload,
} from '../types.ts';
import { controlMessage } from './control.ts';
import { explicitRecord } from './explicit.ts';
import { Journal } from './journal.ts';
import { JsonLines } from './json-lines.ts';

export type TaskTelemetryOptions = {
  /** Where lines are kept (a LogStore writer); called with lines in order, must not block. */
  log?: { append: (lines: LogLine[]) => void };
  /** Number of the first line, where an earlier attempt's log goes on; default 0. */
  firstSeq?: number;
};

/** A task's telemetry as it stands. */
export type TelemetrySnapshot = {
  /** Events from here on are not in the snapshot. */
  offset: number;
  /** Number of the next line: lines 0 to lines - 1 exist. */
  lines: number;
  lastLine?: string;
  /** Lines being redrawn, by stream. */
  live: { stdout: string; stderr: string };
  progress?: Progress;
  metrics: Record<string, MetricValue>;
  report?: Report;
  exception?: ExceptionInfo;
  exit?: { code: number | null; signal: string | null };
  dropped: { records: number; bytes: number };
  ended: boolean;
};

/** How often live lines and progress are passed on, and bars left behind looked after. */
const FLUSH_MS = 50;
const SETTLE_MS = 250;
const LINES_PER_EVENT = 500;

/**
 * Everything that a task's ring says, put together: feed it the records (it is a RingConsumer), ask
 * for a snapshot, or follow its events from any offset.
 */
export class TaskTelemetry {
  readonly #log: TaskTelemetryOptions['log'];
  readonly #assembler: LineAssembler;
  readonly #parsers = { stdout: new LineParser(), stderr: new LineParser() };
  readonly #json = new JsonLines();
  readonly #journal = new Journal();
  readonly #series = new MetricSeries();
  readonly #listeners = new Set<(events: TelemetryEvent[]) => void>();
  readonly #live = { stdout: '', stderr: '' };
  readonly #liveChanged = new Set<'stdout' | 'stderr'>();
  readonly #state: Omit<TelemetrySnapshot, 'offset' | 'lines' | 'live' | 'metrics'> = {
    dropped: { records: 0, bytes: 0 },
    ended: false,
  };
  #progressSource: MetricSource = 'parsed';
  #progressChanged = false;
  #lines: LogLine[] = [];
  #points: MetricPoint[] = [];
  #events: TelemetryEvent[] = [];
  #timer: NodeJS.Timeout | undefined;
  #flushed = 0;

  constructor(options: TaskTelemetryOptions = {}) {
    this.#log = options.log;
    this.#assembler = new LineAssembler(options.firstSeq);
  }

  /** Takes records from the ring, in order. Never throws on their contents. */
  readonly records = (records: RingRecord[]): void => {
    for (const record of records) this.#take(record);
    this.#publish();
  };

  /** The ring ended. Open lines are given out; `error` tells that telemetry itself failed. */
  readonly end = (error?: Error): void => {
    if (this.#state.ended) return;
    this.#state.ended = true;
    const time = Date.now();
    this.#endStreams(time);
    this.#flushLive(time, true);
    this.#push({ type: 'ended', ...(error && { error: error.message }) }, time);
    this.#publish();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  };

  /** Calls `listener` with every batch of events from now on. Returns a function that stops it. */
  subscribe(listener: (events: TelemetryEvent[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Events from `offset` on, at most `limit` (default 1000). `missed`: some are no longer kept; take a
   * snapshot and older lines from the log store instead.
   */
  since(offset: number, limit = 1000): { events: TelemetryEvent[]; next: number; missed: boolean } {
    return this.#journal.since(offset, limit);
  }

  snapshot(): TelemetrySnapshot {
    return {
      ...this.#state,
      offset: this.#journal.next,
      lines: this.#assembler.next,
      live: { ...this.#live },
      metrics: this.#series.latest(),
    };
  }

  /** Names of all metrics seen. */
  get metricNames(): string[] {
    return this.#series.names;
  }

  /** At most `max` points (default 1000) of a metric's series, extremes kept. */
  series(name: string, max = 1000): SeriesPoint[] {
    return this.#series.points(name, max);
  }

  #take(record: RingRecord): void {
    switch (record.type) {
      case 'stdout':
      case 'stderr':
        this.#assembled(
          record.type,
          this.#assembler.push(record.type, record.data, record.time),
          record.time,
        );
        return;
      case 'event':
        for (const value of this.#json.push(record.data)) this.#explicit(value, record.time);
        return;
      case 'control':
        this.#control(record.data, record.time);
        return;
      case 'dropped':
        this.#gap(record.records, record.bytes, record.time);
        return;
    }
  }

  #assembled(stream: 'stdout' | 'stderr', { lines, live }: Assembled, time: number): void {
    const parser = this.#parsers[stream];
    let shown: Progress | undefined;
    // Of several bars the outermost that is not full tells how far the whole is.
    const bar = (progress: Progress | undefined): void => {
      if (progress && (shown === undefined || shown.fraction === 1)) shown = progress;
    };
    for (const line of lines) {
      this.#lines.push(line);
      if (line.text === '') continue;
      this.#state.lastLine = line.text;
      const parsed = parser.parse(line.text);
      if (parsed === undefined) continue;
      this.#metrics(parsed, time);
      if (line.kind === 'log') shown = parsed.progress ?? shown;
      else bar(parsed.progress);
    }
    if (live !== undefined) {
      this.#live[stream] = live;
      this.#liveChanged.add(stream);
      for (const row of live === '' ? [] : live.split('\n')) {
        const parsed = parser.parseLive(row);
        if (parsed === undefined) continue;
        this.#metrics(parsed, time);
        bar(parsed.progress);
      }
    }
    if (shown) this.#progress(shown, 'parsed');
  }

  #metrics(parsed: Parsed, time: number): void {
    if (parsed.metrics === undefined) return;
    const step = parsed.step ?? parsed.epoch;
    for (const [name, value] of Object.entries(parsed.metrics))
      this.#point(name, value, time, 'parsed', step);
  }

  #point(name: string, value: number, time: number, source: MetricSource, step?: number): void {
    const point: MetricPoint = { name, value, time, source, ...(step !== undefined && { step }) };
    if (this.#series.add(point)) this.#points.push(point);
  }

  #progress(progress: Progress, source: MetricSource): void {
    if (source === 'parsed' && this.#progressSource === 'explicit') return;
    this.#progressSource = source;
    this.#state.progress = progress;
    this.#progressChanged = true;
  }

  #explicit(value: unknown, time: number): void {
    const record = explicitRecord(value);
    switch (record?.type) {
      case 'metric':
        for (const [name, number] of Object.entries(record.metrics))
          this.#point(name, number, time, 'explicit', record.step);
        return;
      case 'progress':
        this.#progress(record.progress, 'explicit');
        return;
      case 'report':
        for (const [name, number] of Object.entries(record.report.scores))
          this.#point(name, number, time, 'explicit');
        this.#state.report = record.report;
        this.#push({ type: 'report', report: record.report }, time);
        return;
    }
  }

  #control(data: Buffer, time: number): void {
    const message = controlMessage(data);
    switch (message?.event) {
      case 'started':
        this.#push({ type: 'started', pid: message.pid }, time);
        return;
      case 'exception': {
        const { event: _, ...exception } = message;
        this.#state.exception = exception;
        this.#push({ type: 'exception', exception }, time);
        return;
      }
      case 'exit':
        this.#endStreams(time);
        this.#state.exit = { code: message.code, signal: message.signal };
        this.#push({ type: 'exit', code: message.code, signal: message.signal }, time);
        return;
    }
  }

  #gap(records: number, bytes: number, time: number): void {
    this.#endStreams(time);
    this.#json.reset();
    this.#state.dropped.records += records;
    this.#state.dropped.bytes += bytes;
    const text = `[vgpu] ${bytes} bytes of output are missing here: they were printed faster than they could be read`;
    this.#lines.push(this.#assembler.note(text, time));
    this.#push({ type: 'dropped', records, bytes }, time);
  }

  #endStreams(time: number): void {
    this.#assembled('stdout', this.#assembler.end('stdout', time), time);
    this.#assembled('stderr', this.#assembler.end('stderr', time), time);
  }

  /** Puts an event behind the lines and points that came before it. */
  #push(payload: TelemetryPayload, time: number): void {
    this.#flushLines(time);
    this.#events.push(this.#journal.append(payload, time));
  }

  #flushLines(time: number): void {
    if (this.#lines.length > 0) {
      const lines = this.#lines;
      this.#lines = [];
      this.#log?.append(lines);
      for (let at = 0; at < lines.length; at += LINES_PER_EVENT)
        this.#events.push(
          this.#journal.append({ type: 'lines', lines: lines.slice(at, at + LINES_PER_EVENT) }, time),
        );
    }
    if (this.#points.length > 0) {
      const points = this.#points;
      this.#points = [];
      for (let at = 0; at < points.length; at += LINES_PER_EVENT)
        this.#events.push(
          this.#journal.append({ type: 'metrics', points: points.slice(at, at + LINES_PER_EVENT) }, time),
        );
    }
  }

  #flushLive(now: number, force: boolean): void {
    if (!force && now - this.#flushed < FLUSH_MS) return;
    this.#flushed = now;
    for (const stream of this.#liveChanged)
      this.#push({ type: 'live', stream, text: this.#live[stream] }, now);
    this.#liveChanged.clear();
    if (this.#progressChanged && this.#state.progress)
      this.#push({ type: 'progress', progress: this.#state.progress }, now);
    this.#progressChanged = false;
  }

  #publish(): void {
    const now = Date.now();
    this.#flushLines(now);
    this.#flushLive(now, false);
    this.#arm();
    if (this.#events.length === 0) return;
    const events = this.#events;
    this.#events = [];
    for (const listener of this.#listeners) listener(events);
  }

  /** One timer while something is held back or open; none for a silent task. */
  #arm(): void {
    if (this.#timer !== undefined || this.#state.ended) return;
    const held = this.#liveChanged.size > 0 || this.#progressChanged;
    if (!held && this.#live.stdout === '' && this.#live.stderr === '') return;
    this.#timer = setTimeout(() => this.#tick(), held ? FLUSH_MS : SETTLE_MS);
    this.#timer.unref();
  }

  #tick(): void {
    this.#timer = undefined;
    const now = Date.now();
    this.#assembled('stdout', this.#assembler.settle('stdout', now), now);
    this.#assembled('stderr', this.#assembler.settle('stderr', now), now);
    this.#publish();
  }
}
