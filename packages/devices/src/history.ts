import type { Reading } from './accelerator.ts';

/** Readings kept for each device: an hour at one each 5 seconds. */
const POINTS = 720;
const EVERY_MS = 5000;

/** The last hour of readings of each device, one each 5 seconds. */
export class ReadingHistory {
  readonly #points = new Map<string, Reading[]>();

  add(reading: Reading): void {
    const points = this.#points.get(reading.uuid) ?? [];
    this.#points.set(reading.uuid, points);
    const last = points.at(-1);
    if (last && reading.time - last.time < EVERY_MS) return;
    points.push(reading);
    if (points.length > POINTS) points.splice(0, points.length - POINTS);
  }

  of(uuid: string): readonly Reading[] {
    return this.#points.get(uuid) ?? [];
  }
}
