import { appendFile, mkdir, open, readdir, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { LogLine } from '../types.ts';
import { CHUNK_HEADER, packChunk, unpackChunk } from './chunk.ts';
import { type LogMatches, type LogQuery, matcher } from './search.ts';
import { isSegment, type Placed, readPayload, type Segment, scanSegment, segmentName } from './segment.ts';

export type TaskLogOptions = {
  /** Bytes on disk; beyond, middle parts go first: the beginning and the end are kept. Default 256 MiB. */
  maxBytes?: number;
};

/** Lines gather in memory until so many bytes or milliseconds. */
const CHUNK_BYTES = 512 * 1024;
const FLUSH_MS = 1000;
/** Bytes waiting for a disk that does not keep up; beyond, lines are lost and counted. */
const MAX_WAITING = 32 * 1024 * 1024;
/** What a line takes in memory beside its text. */
const LINE_BYTES = 128;
const SEGMENTS = 8;
const CACHED_CHUNKS = 4;
const SEARCH_MS = 2000;

/** A chunk on disk (segment and place) or still in memory (lines). */
type Entry = { seq: number; count: number; segment?: Segment; placed?: Placed; lines?: LogLine[] };

/** The log of one task on disk. One writer; `append` never waits for the disk. */
export class TaskLog {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #segments: Segment[] = [];
  #entries: Entry[] = [];
  #gathering: LogLine[] = [];
  #bytes = 0;
  #waiting = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #fresh = false;
  readonly #cache = new Map<Entry, LogLine[]>();
  /** Lines that could not be kept (disk full or too slow). */
  lost = 0;

  private constructor(folder: string, options: TaskLogOptions) {
    this.#folder = folder;
    this.#maxBytes = options.maxBytes ?? 256 * 1024 * 1024;
  }

  /** Opens the log in `folder`, making the folder if there is none. A torn end is cut off. */
  static async open(folder: string, options: TaskLogOptions = {}): Promise<TaskLog> {
    const log = new TaskLog(folder, options);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const name of (await readdir(folder)).filter(isSegment).sort()) {
      const path = join(folder, name);
      const { chunks, size } = await scanSegment(path);
      await truncate(path, size);
      const segment = { path, size };
      log.#segments.push(segment);
      for (const placed of chunks)
        log.#entries.push({ seq: placed.seq, count: placed.count, segment, placed });
    }
    return log;
  }

  /** Number of the first line kept, and number that the next line gets. */
  get first(): number {
    return this.#entries[0]?.seq ?? this.#gathering[0]?.seq ?? 0;
  }
  get next(): number {
    const last = this.#gathering.at(-1);
    if (last !== undefined) return last.seq + 1;
    const entry = this.#entries.at(-1);
    return entry === undefined ? 0 : entry.seq + entry.count;
  }

  /**
   * Keeps lines. Returns at once; they can be read at once. Lines with numbers that the log has already
   * are left out: after a crash the end of a ring is read again.
   */
  append(lines: readonly LogLine[]): void {
    let next = this.next;
    for (const line of lines) {
      if (line.seq < next) continue;
      next = line.seq + 1;
      if (this.#waiting + this.#bytes > MAX_WAITING) {
        this.lost += 1;
        continue;
      }
      if (this.#gathering.length > 0 && line.seq !== this.#gathering.at(-1)!.seq + 1) this.#seal();
      this.#gathering.push(line);
      this.#bytes += line.text.length + LINE_BYTES;
      if (this.#bytes >= CHUNK_BYTES) this.#seal();
    }
    if (this.#timer === undefined && this.#gathering.length > 0) {
      this.#timer = setTimeout(() => this.#seal(), FLUSH_MS);
      this.#timer.unref();
    }
  }

  /** Writes what is in memory. */
  async flush(): Promise<void> {
    this.#seal();
    await this.#writing;
  }

  /** At most `limit` lines from number `from` on. Lines that are gone are skipped. */
  async read(from: number, limit: number): Promise<LogLine[]> {
    const result: LogLine[] = [];
    for await (const lines of this.#chunks(from)) {
      for (const line of lines) {
        if (result.length >= limit) return result;
        if (line.seq >= from) result.push(line);
      }
      if (result.length >= limit) return result;
    }
    return result;
  }

  /** The last `count` lines. */
  async tail(count: number): Promise<LogLine[]> {
    const lines = await this.read(Math.max(0, this.next - count), count);
    return lines;
  }

  /** Lines that match, in order; stops after `limit` matches or two seconds. @throws BadPattern */
  async search(query: LogQuery): Promise<LogMatches> {
    const matches = matcher(query);
    const limit = Math.min(1000, query.limit ?? 100);
    const from = query.from ?? 0;
    const deadline = performance.now() + SEARCH_MS;
    const found: LogLine[] = [];
    for await (const lines of this.#chunks(from)) {
      for (const line of matches(lines)) {
        if (line.seq < from) continue;
        if (found.length === limit) return { lines: found, next: found.at(-1)!.seq + 1 };
        found.push(line);
      }
      if (performance.now() > deadline) return { lines: found, next: lines.at(-1)!.seq + 1 };
    }
    return { lines: found };
  }

  /** The whole log as text, or as one JSON object per line; for downloads. */
  stream(format: 'text' | 'jsonl' = 'text'): Readable {
    const chunks = this.#chunks(0);
    async function* pieces(): AsyncGenerator<string> {
      for await (const lines of chunks) {
        let piece = '';
        for (const line of lines) piece += format === 'text' ? `${line.text}\n` : `${JSON.stringify(line)}\n`;
        yield piece;
      }
    }
    return Readable.from(pieces(), { objectMode: false });
  }

  /** Writes what is left. The log can still be read. */
  async close(): Promise<void> {
    await this.flush();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Deletes the log. */
  async remove(): Promise<void> {
    await this.close();
    this.#entries = [];
    await rm(this.#folder, { recursive: true, force: true });
  }

  async *#chunks(from: number): AsyncGenerator<LogLine[]> {
    let seq = from;
    while (true) {
      // Looked up anew each time: while a reader waits, chunks are written and old ones go.
      const entry = this.#entries[this.#find(seq)];
      if (entry === undefined) {
        if (this.#gathering.length > 0) yield [...this.#gathering];
        return;
      }
      yield await this.#load(entry);
      seq = entry.seq + entry.count;
    }
  }

  /** Index of the first chunk that holds line `seq` or a later one. */
  #find(seq: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const entry = this.#entries[middle]!;
      if (entry.seq + entry.count <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  async #load(entry: Entry): Promise<LogLine[]> {
    if (entry.lines !== undefined) return entry.lines;
    const cached = this.#cache.get(entry);
    if (cached !== undefined) return cached;
    const lines = (await this.#fromDisk(entry)) ?? [
      {
        seq: entry.seq,
        time: entry.placed!.time,
        stream: 'system' as const,
        kind: 'log' as const,
        text: `[vgpu] lines ${entry.seq} to ${entry.seq + entry.count - 1} cannot be read from disk any more`,
      },
    ];
    this.#cache.set(entry, lines);
    if (this.#cache.size > CACHED_CHUNKS) this.#cache.delete(this.#cache.keys().next().value!);
    return lines;
  }

  async #fromDisk(entry: Entry): Promise<LogLine[] | undefined> {
    try {
      const file = await open(entry.segment!.path, 'r');
      try {
        return await unpackChunk(await readPayload(file, entry.placed!), entry.placed!);
      } finally {
        await file.close();
      }
    } catch {
      return undefined;
    }
  }

  /** Turns the gathered lines into a chunk and queues it for the disk. */
  #seal(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#gathering.length === 0) return;
    const lines = this.#gathering;
    const bytes = this.#bytes;
    this.#gathering = [];
    this.#bytes = 0;
    this.#waiting += bytes;
    const entry: Entry = { seq: lines[0]!.seq, count: lines.length, lines };
    this.#entries.push(entry);
    this.#writing = this.#writing.then(async () => {
      await this.#write(entry, lines);
      this.#waiting -= bytes;
    });
  }

  async #write(entry: Entry, lines: LogLine[]): Promise<void> {
    try {
      const chunk = await packChunk(lines);
      const segment = await this.#segmentFor(entry.seq, chunk.length);
      const offset = segment.size;
      await appendFile(segment.path, chunk, { mode: 0o600 });
      segment.size += chunk.length;
      const placed: Placed = {
        offset,
        length: chunk.length - CHUNK_HEADER,
        raw: chunk.readUInt32LE(8),
        seq: entry.seq,
        count: entry.count,
        time: lines[0]!.time,
        crc: chunk.readUInt32LE(32),
      };
      Object.assign(entry, { segment, placed, lines: undefined });
    } catch {
      this.lost += lines.length;
      this.#entries = this.#entries.filter((other) => other !== entry);
      this.#fresh = true; // part of the chunk may have been written: leave that file alone
    }
  }

  async #segmentFor(seq: number, bytes: number): Promise<Segment> {
    const current = this.#segments.at(-1);
    const full =
      current !== undefined && current.size + bytes > this.#maxBytes / SEGMENTS && current.size > 0;
    if (current !== undefined && !full && !this.#fresh) return current;
    this.#fresh = false;
    const segment = { path: join(this.#folder, segmentName(seq)), size: 0 };
    this.#segments.push(segment);
    if (this.#segments.length > SEGMENTS) {
      const [gone] = this.#segments.splice(1, 1);
      this.#entries = this.#entries.filter((entry) => entry.segment !== gone);
      await rm(gone!.path, { force: true });
    }
    return segment;
  }
}
