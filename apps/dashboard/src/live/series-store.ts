import { routes, type Series } from '@vgpu/api';
import { decimate } from '../charts/decimate.ts';
import { client } from '../server/client.ts';
import { Batched } from './batched.ts';

/** Name, step (below 0 where the script gave none), time (milliseconds since 1970) and value. */
export type Point = readonly [name: string, step: number, time: number, value: number];

/** One metric as it is drawn: thinned, with the time of its last point. */
export interface LiveSeries {
  step: number[];
  value: number[];
  lastTime: number;
}

const loadPoints = 1000;
/** Beyond this many points a series is thinned to half of it. */
const keepPoints = 4000;

async function recorded(task: string): Promise<readonly Series[]> {
  const answer = await client.call(routes.tasks.series, { params: { task }, query: { points: loadPoints } });
  return answer.items;
}

/** The metric series of one task: what was recorded, then what comes live. */
export class SeriesStore {
  readonly #read: () => Promise<readonly Series[]>;
  readonly #series = new Map<string, LiveSeries>();
  readonly #batched = new Batched();
  #names: string[] = [];
  #early: Point[] | null = [];
  #loading: Promise<void> | null = null;
  error: unknown = null;

  /** @param read answers what was recorded so far; by default the API does. */
  constructor(task: string, read: () => Promise<readonly Series[]> = () => recorded(task)) {
    this.#read = read;
  }

  listen = this.#batched.listen;
  get version(): number {
    return this.#batched.version;
  }

  get loaded(): boolean {
    return this.#early === null;
  }

  /** Names in the order of the alphabet. */
  names(): string[] {
    if (this.#names.length !== this.#series.size) this.#names = [...this.#series.keys()].sort();
    return this.#names;
  }

  get(name: string): LiveSeries | undefined {
    return this.#series.get(name);
  }

  /** Reads what was recorded; points that come meanwhile are kept and follow it. */
  load(): Promise<void> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  async #load(): Promise<void> {
    this.#early ??= [];
    try {
      this.adopt(await this.#read());
      this.error = null;
    } catch (error) {
      this.error = error;
    }
    const early = this.#early ?? [];
    this.#early = null;
    this.append(early);
    this.#batched.changed();
  }

  /** Replaces the series by these. */
  adopt(items: readonly Series[]): void {
    for (const one of items) {
      this.#series.set(one.name, {
        step: [...one.step],
        value: [...one.value],
        lastTime: one.time.at(-1) ?? 0,
      });
    }
  }

  /** Adds live points; those that the recorded part already has are skipped. */
  append(points: readonly Point[]): void {
    if (this.#early) {
      this.#early.push(...points);
      return;
    }
    for (const [name, given, time, value] of points) {
      let one = this.#series.get(name);
      if (!one) {
        one = { step: [], value: [], lastTime: 0 };
        this.#series.set(name, one);
      }
      const known = one.step.at(-1);
      const step = given >= 0 ? given : (known ?? -1) + 1; // a script that counts no steps: they count by themselves
      if (
        time < one.lastTime ||
        (time === one.lastTime && given >= 0 && known !== undefined && step <= known)
      )
        continue;
      one.step.push(step);
      one.value.push(value);
      one.lastTime = time;
      if (one.step.length > keepPoints) {
        const thin = decimate({ x: one.step, y: one.value }, keepPoints / 2);
        one.step = thin.x;
        one.value = thin.y;
      }
    }
    if (points.length > 0) this.#batched.changed();
  }
}
