import { type LogLineView, routes, type ServerFrame } from '@vgpu/api';
import { Batched } from '../live/batched.ts';
import { stream } from '../live/stream.ts';
import { client } from '../server/client.ts';

/** Lines of one fetched window. */
const pageLines = 500;
/** Windows kept in memory: 30,000 lines; the longest unseen go first. */
const keepPages = 60;

/** The log of one task: any window of it on demand, and its end live. */
export class LogStore {
  readonly task: string;
  readonly #pages = new Map<number, (LogLineView | undefined)[]>();
  readonly #asked = new Set<number>();
  readonly #batched = new Batched();
  #leave: (() => void) | null = null;
  #resumed: (() => void) | null = null;
  #users = 0;
  total = 0;
  dropped = 0;
  open = true;
  ready = false;
  error: unknown = null;

  constructor(task: string) {
    this.task = task;
  }

  listen = this.#batched.listen;
  get version(): number {
    return this.#batched.version;
  }

  /** Begins to follow the end of the log; ends when the last user leaves. */
  follow(): () => void {
    this.#users++;
    if (this.#users === 1) {
      void this.#start();
      this.#resumed = stream.onResumed(() => void this.#resume());
    }
    return () => {
      this.#users--;
      if (this.#users > 0) return;
      this.#leave?.();
      this.#leave = null;
      this.#resumed?.();
    };
  }

  line(seq: number): LogLineView | undefined {
    return this.#pages.get(Math.floor(seq / pageLines))?.[seq % pageLines];
  }

  /** Fetches what is missing of the lines from `start` up to, not including, `end`. */
  want(start: number, end: number): void {
    const first = Math.floor(Math.max(0, start) / pageLines);
    const last = Math.floor(Math.max(0, Math.min(end, this.total) - 1) / pageLines);
    for (let page = first; page <= last; page++) {
      if (this.#asked.has(page) || this.#isWhole(page)) continue;
      void this.#fetch(page);
    }
  }

  #isWhole(page: number): boolean {
    const lines = this.#pages.get(page);
    if (!lines) return false;
    this.#pages.delete(page); // most recently used goes last
    this.#pages.set(page, lines);
    const expected = Math.min(pageLines, this.total - page * pageLines);
    for (let i = 0; i < expected; i++) if (!lines[i]) return false;
    return true;
  }

  async #start(): Promise<void> {
    try {
      const tail = await client.call(routes.tasks.logs, {
        params: { task: this.task },
        query: { from: -pageLines, limit: pageLines },
      });
      this.#keep(tail.items);
      this.#counted(tail.total, tail.dropped, tail.open);
      this.error = null;
    } catch (error) {
      this.error = error;
    }
    this.ready = true;
    this.#batched.changed();
    if (this.#users === 0 || this.#leave) return;
    this.#leave = stream.subscribe(`logs:${this.task}`, (frame) => this.#heard(frame), this.total);
  }

  /**
   * A server that was killed may have lost its last lines and count on from before them: what was seen beyond its
   * end is given up, and the log is heard again from there.
   */
  async #resume(): Promise<void> {
    try {
      const { total } = await client.call(routes.tasks.logs, {
        params: { task: this.task },
        query: { from: -1, limit: 1 },
      });
      if (total >= this.total || !this.#leave) return;
      for (const page of this.#pages.keys()) if ((page + 1) * pageLines > total) this.#pages.delete(page);
      this.total = total;
      this.#leave();
      this.#leave = stream.subscribe(`logs:${this.task}`, (frame) => this.#heard(frame), total);
      this.#batched.changed();
    } catch {
      // the next break, or the next window asked for, tells
    }
  }

  #heard(frame: ServerFrame): void {
    if (frame.type !== 'logs') return;
    this.#keep(frame.lines);
    this.#counted(Math.max(frame.next, (frame.lines.at(-1)?.seq ?? -1) + 1), frame.dropped, frame.open);
    this.error = null;
    this.#batched.changed();
  }

  #counted(total: number, dropped: number, open: boolean): void {
    this.total = Math.max(this.total, total);
    this.dropped = Math.max(this.dropped, dropped);
    this.open = open;
  }

  #keep(lines: readonly LogLineView[]): void {
    for (const line of lines) {
      const page = Math.floor(line.seq / pageLines);
      let kept = this.#pages.get(page);
      if (!kept) {
        kept = [];
        this.#pages.set(page, kept);
        if (this.#pages.size > keepPages) this.#pages.delete(this.#pages.keys().next().value!);
      }
      kept[line.seq % pageLines] = line;
    }
  }

  async #fetch(page: number): Promise<void> {
    this.#asked.add(page);
    try {
      const answer = await client.call(routes.tasks.logs, {
        params: { task: this.task },
        query: { from: page * pageLines, limit: pageLines },
      });
      this.#keep(answer.items);
      this.#keep(lost(page, answer));
      this.#counted(answer.total, answer.dropped, answer.open);
      this.error = null;
    } catch (error) {
      this.error = error;
    } finally {
      this.#asked.delete(page);
      this.#batched.changed();
    }
  }
}

/** Lines that the server no longer has (a log beyond its bound), so that they are not asked for again. */
function lost(page: number, answer: { items: readonly LogLineView[]; total: number }): LogLineView[] {
  const there = new Set(answer.items.map((line) => line.seq));
  const end = Math.min((page + 1) * pageLines, answer.total);
  const lines: LogLineView[] = [];
  for (let seq = page * pageLines; seq < end; seq++) {
    if (there.has(seq)) continue;
    lines.push({ seq, time: 0, stream: 'system', kind: 'log', text: '(this line is no longer kept)' });
  }
  return lines;
}

const stores = new Map<string, LogStore>();

/** The log of a task, shared by all that show it. */
export function logStore(task: string): LogStore {
  let store = stores.get(task);
  if (!store) {
    store = new LogStore(task);
    stores.set(task, store);
    if (stores.size > 40) stores.delete(stores.keys().next().value!);
  }
  return store;
}
