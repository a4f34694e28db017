import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import {
  CHECK,
  HEADER_READ,
  HEADER_SIZE,
  KIND_OF,
  MAGIC,
  MARK,
  MAX_CAPACITY,
  MAX_PAYLOAD,
  MIN_CAPACITY,
  OFFSET,
  RECORD_SIZE,
  recordSpan,
  VERSION,
} from './layout.ts';
import { RingCorrupted, type RingRecord } from './record.ts';

/** Counters of one ring. */
export type RingStats = {
  /** Data bytes that the ring holds. */
  capacity: number;
  /** Bytes ever written and ever read, record headers included. */
  written: number;
  read: number;
  /** Records delivered by `poll`. */
  records: number;
  /** What the writer had to drop because the reader lagged, as the writer counts it. */
  droppedRecords: number;
  droppedBytes: number;
  /** True once the writer said that no more comes. */
  closed: boolean;
};

/** Bytes taken from a ring in one poll; bounds memory and keeps one worker from starving others. */
const POLL_BYTES = 66 * 1024;
/** A record whose checksum fails may still be on its way from another core; after so many polls it is not. */
const MAX_RETRIES = 8;

export type RingReaderOptions = {
  /**
   * `poll` (default): what was polled is done with. `manual`: the writer gets its space back, and a reader
   * that comes back starts, only behind what was committed; so that a crash between reading and keeping
   * loses nothing. Half a ring full of uncommitted records is committed in any case.
   */
  commit?: 'poll' | 'manual';
};

/** The single consumer of a ring. Its contents are hostile: every number is checked before use. */
export class RingReader {
  readonly path: string;
  readonly capacity: number;
  #fd: number;
  #tail: number;
  #committed: number;
  #mark: number;
  readonly #manual: boolean;
  #head = 0;
  #records = 0;
  #dropped = { records: 0, bytes: 0 };
  #closed = false;
  #retries = 0;
  readonly #header = Buffer.alloc(HEADER_READ);
  readonly #tailWords = Buffer.alloc(24);

  /** @throws RingCorrupted if the file is not a ring; the file system's error if it cannot be opened. */
  constructor(path: string, options: RingReaderOptions = {}) {
    this.path = path;
    this.#manual = options.commit === 'manual';
    // NOFOLLOW and NONBLOCK: the worker may have put a link or a FIFO where the ring was.
    this.#fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(this.#fd);
      if (!stat.isFile()) throw this.#corrupted('not a regular file');
      this.#readHeader();
      const header = this.#header;
      if (header.toString('latin1', 0, 8) !== MAGIC) throw this.#corrupted('no magic');
      const version = header.readUInt32LE(OFFSET.version);
      if (version !== VERSION) throw this.#corrupted(`version ${version}, expected ${VERSION}`);
      if (header.readUInt32LE(OFFSET.headerSize) !== HEADER_SIZE) throw this.#corrupted('header size');
      this.capacity = this.#word(OFFSET.capacity);
      if (this.capacity < MIN_CAPACITY || this.capacity > MAX_CAPACITY || this.capacity % 8 !== 0)
        throw this.#corrupted(`capacity ${this.capacity}`);
      if (stat.size < HEADER_SIZE + this.capacity) throw this.#corrupted('shorter than its capacity');
      // A reader that comes back (server restart) goes on where the last one stopped.
      this.#tail = this.#word(OFFSET.tail);
      this.#committed = this.#tail;
      this.#mark = this.#word(OFFSET.mark);
      this.#head = this.#tail;
      this.#takeHead();
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  /** Counters as of the last poll. */
  get stats(): RingStats {
    return {
      capacity: this.capacity,
      written: this.#head,
      read: this.#tail,
      records: this.#records,
      droppedRecords: this.#dropped.records,
      droppedBytes: this.#dropped.bytes,
      closed: this.#closed,
    };
  }

  /** How far the ring has been read, in bytes since it was made; for `commit`. */
  get position(): number {
    return this.#tail;
  }

  /** The number given with the last commit, by this reader or one before it; 0 at first. */
  get mark(): number {
    return this.#mark;
  }

  /**
   * Everything before `position` has been kept: the writer may overwrite it. `mark` is a number for the
   * reader that comes next, such as that of the first line not kept; committing the position once more
   * sets it anew (do so at the start, where an earlier attempt's log goes on).
   */
  commit(position: number, mark: number): void {
    if (this.#fd < 0 || position < this.#committed || position > this.#tail) return;
    this.#mark = mark;
    this.#publishTail(position);
  }

  /** True when the writer closed the ring and everything in it was read. */
  get ended(): boolean {
    return this.#closed && this.#tail === this.#head;
  }

  /**
   * Takes the records written since the last poll, 66 KiB of them or one larger record; an empty array when
   * there are none. Buffers are copies: they stay valid.
   * @throws RingCorrupted when the contents make no sense; close the ring then.
   */
  poll(): RingRecord[] {
    this.#readHeader();
    this.#takeHead();
    const available = this.#head - this.#tail;
    if (available === 0) return [];
    if (available < RECORD_SIZE) throw this.#corrupted(`head ${this.#head} within a record`);
    let block = this.#read(this.#tail, Math.min(available, POLL_BYTES));
    const records: RingRecord[] = [];
    let at = 0;
    while (at + RECORD_SIZE <= block.length) {
      const position = this.#tail + at;
      const length = block.readUInt32LE(at);
      const kind = KIND_OF[block[at + 4]!];
      const marked = block.readUInt32LE(at + 20) === (position ^ MARK) >>> 0;
      if (!marked || kind === undefined || length > MAX_PAYLOAD) {
        if (this.#mayArrive(at)) break;
        throw this.#corrupted(`no record at ${position}`);
      }
      const span = recordSpan(length);
      if (span > available - at) throw this.#corrupted(`record at ${position} is longer than the data`);
      if (at === 0 && span > block.length) block = this.#read(this.#tail, span);
      if (at + span > block.length) break;
      const data = block.subarray(at + RECORD_SIZE, at + RECORD_SIZE + length);
      if (crc32(data) !== block.readUInt32LE(at + 16)) {
        if (this.#mayArrive(at)) break;
        throw this.#corrupted(`checksum at ${position}`);
      }
      const time = Number(block.readBigUInt64LE(at + 8)) / 1e6;
      if (kind !== 'dropped') records.push({ type: kind, time, data });
      else if (length === 16)
        records.push({
          type: kind,
          time,
          records: Number(data.readBigUInt64LE(0)),
          bytes: Number(data.readBigUInt64LE(8)),
        });
      at += span;
    }
    if (at > 0) {
      this.#retries = 0;
      this.#records += records.length;
      this.#tail += at;
      if (!this.#manual || this.#tail - this.#committed > this.capacity / 2) this.#publishTail(this.#tail);
    }
    return records;
  }

  close(): void {
    if (this.#fd < 0) return;
    closeSync(this.#fd);
    this.#fd = -1;
  }

  /** Whether a bad record may be one that this core does not see whole yet (only ever the first unread). */
  #mayArrive(at: number): boolean {
    if (at > 0) return true;
    this.#retries += 1;
    return this.#retries <= MAX_RETRIES;
  }

  #readHeader(): void {
    if (readSync(this.#fd, this.#header, 0, HEADER_READ, 0) !== HEADER_READ)
      throw this.#corrupted('header cut short');
  }

  #takeHead(): void {
    const header = this.#header;
    const head = header.readBigUInt64LE(OFFSET.head);
    this.#dropped = {
      records: Number(header.readBigUInt64LE(OFFSET.droppedRecords)),
      bytes: Number(header.readBigUInt64LE(OFFSET.droppedBytes)),
    };
    const closed = header.readBigUInt64LE(OFFSET.closed) !== 0n;
    if (header.readBigUInt64LE(OFFSET.headCheck) !== (head ^ CHECK)) return; // torn: next poll
    const value = Number(head);
    if (value < this.#tail || value < this.#head || value - this.#tail > this.capacity || value % 8 !== 0)
      throw this.#corrupted(`head ${head}, tail ${this.#tail}`);
    this.#head = value;
    this.#closed = closed;
  }

  #word(offset: number): number {
    const value = this.#header.readBigUInt64LE(offset);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.#corrupted(`word ${offset} out of range`);
    return Number(value);
  }

  #read(position: number, length: number): Buffer {
    const block = Buffer.allocUnsafe(length);
    const start = position % this.capacity;
    const first = Math.min(length, this.capacity - start);
    this.#fill(block, 0, first, HEADER_SIZE + start);
    if (first < length) this.#fill(block, first, length - first, HEADER_SIZE);
    return block;
  }

  #fill(block: Buffer, at: number, length: number, from: number): void {
    if (readSync(this.#fd, block, at, length, from) !== length) throw this.#corrupted('data cut short');
  }

  #publishTail(position: number): void {
    this.#committed = position;
    const tail = BigInt(position);
    this.#tailWords.writeBigUInt64LE(tail, 0);
    this.#tailWords.writeBigUInt64LE(tail ^ CHECK, 8);
    this.#tailWords.writeBigUInt64LE(BigInt(this.#mark), 16);
    writeSync(this.#fd, this.#tailWords, 0, 24, OFFSET.tail);
  }

  #corrupted(what: string): RingCorrupted {
    return new RingCorrupted(this.path, what);
  }
}

/** Opens a ring for reading; see RingReader. */
export const openRing = (path: string, options?: RingReaderOptions): RingReader =>
  new RingReader(path, options);
