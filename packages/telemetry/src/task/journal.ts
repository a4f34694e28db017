import type { TelemetryEvent, TelemetryPayload } from '../types.ts';

/** Characters of log text that the journal keeps for readers that come back; older lines are in the log store. */
const MAX_WEIGHT = 2 * 1024 * 1024;

/** The last events of a task, numbered without gaps. */
export class Journal {
  #events: TelemetryEvent[] = [];
  #weights: number[] = [];
  #start = 0;
  #weight = 0;
  #next = 0;

  /** Offset that the next event will have. */
  get next(): number {
    return this.#next;
  }

  append(payload: TelemetryPayload, time: number): TelemetryEvent {
    const event: TelemetryEvent = { offset: this.#next, time, ...payload };
    this.#next += 1;
    const weight = weightOf(payload);
    this.#events.push(event);
    this.#weights.push(weight);
    this.#weight += weight;
    while (this.#weight > MAX_WEIGHT && this.#start < this.#events.length - 1) {
      this.#weight -= this.#weights[this.#start]!;
      this.#start += 1;
    }
    if (this.#start > 1000 && this.#start > this.#events.length / 2) {
      this.#events = this.#events.slice(this.#start);
      this.#weights = this.#weights.slice(this.#start);
      this.#start = 0;
    }
    return event;
  }

  /** At most `limit` events from `offset` on; `missed` if some of them are no longer kept. */
  since(offset: number, limit: number): { events: TelemetryEvent[]; next: number; missed: boolean } {
    const oldest = this.#next - (this.#events.length - this.#start);
    const from = Math.min(this.#next, Math.max(oldest, offset));
    const at = this.#start + from - oldest;
    const events = this.#events.slice(at, at + limit);
    return { events, next: from + events.length, missed: offset < oldest };
  }
}

function weightOf(payload: TelemetryPayload): number {
  switch (payload.type) {
    case 'lines':
      return payload.lines.reduce((sum, line) => sum + line.text.length + 64, 64);
    case 'live':
      return payload.text.length + 64;
    case 'metrics':
      return payload.points.length * 96 + 64;
    default:
      return 1024;
  }
}
