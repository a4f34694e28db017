import type { MetricPoint, MetricSource } from '../types.ts';
import { decimate, type SeriesPoint } from './decimate.ts';

/** Points kept of one metric; when full, they are thinned to half, extremes kept. */
const MAX_POINTS = 4096;
/** Metrics kept of one task; a script that invents names gets no further. */
const MAX_METRICS = 500;

/** Latest value of a metric. */
export type MetricValue = { value: number; source: MetricSource; time: number; step?: number };

type Entry = { points: SeriesPoint[]; latest: MetricValue; last?: number };

/** The metrics of one task: latest values and bounded series. What is explicit wins over what was parsed. */
export class MetricSeries {
  readonly #entries = new Map<string, Entry>();

  /** Takes a point; false if it changes nothing (repeated, outranked by an explicit one, no room). */
  add(point: MetricPoint): boolean {
    const { name, value, source, time, step } = point;
    const latest: MetricValue = { value, source, time, ...(step !== undefined && { step }) };
    const entry = this.#entries.get(name);
    if (entry === undefined) {
      if (this.#entries.size >= MAX_METRICS) return false;
      this.#entries.set(name, {
        points: [toSeries(point)],
        latest,
        ...(step !== undefined && { last: step }),
      });
      return true;
    }
    if (source === 'parsed' && entry.latest.source === 'explicit') return false;
    if (source === 'explicit' && entry.latest.source === 'parsed') {
      entry.points = [];
      entry.last = undefined;
    } else if (entry.latest.value === value && entry.latest.step === step && source === 'parsed')
      return false;
    entry.latest = latest;
    const { points } = entry;
    // A value without step after values with steps is a final score: not part of the curve.
    if (step === undefined && entry.last !== undefined) return true;
    if (step !== undefined && step === entry.last) points[points.length - 1] = toSeries(point);
    else points.push(toSeries(point));
    entry.last = step;
    if (points.length > MAX_POINTS) entry.points = decimate(points, MAX_POINTS / 2);
    return true;
  }

  get names(): string[] {
    return [...this.#entries.keys()];
  }

  /** Latest value of every metric. */
  latest(): Record<string, MetricValue> {
    const values = Object.create(null) as Record<string, MetricValue>;
    for (const [name, entry] of this.#entries) values[name] = entry.latest;
    return values;
  }

  /** At most `max` points of a metric, in the order in which they came; empty for an unknown name. */
  points(name: string, max = 1000): SeriesPoint[] {
    return decimate(this.#entries.get(name)?.points ?? [], max);
  }
}

const toSeries = ({ step, time, value }: MetricPoint): SeriesPoint =>
  step === undefined ? { time, value } : { step, time, value };
