import { promisify } from 'node:util';
import { constants, crc32, zstdCompress, zstdDecompress } from 'node:zlib';
import type { LogLine, StreamName } from '../types.ts';

/**
 * A chunk: this header, then zstd of its lines. The headers, one after the other, are the index: a
 * file is opened by hopping over them, and what a crash left half-written is recognised.
 */
export const CHUNK_HEADER = 40;
const MAGIC = 0x31474c56; // "VLG1"

/** Where a chunk lies and what is in it. */
export type ChunkHeader = {
  /** Bytes after the header, and what they decompress to. */
  length: number;
  raw: number;
  /** Number of the first line, lines, and Unix ms of the first. */
  seq: number;
  count: number;
  time: number;
  crc: number;
};

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };

const CODES: Record<StreamName, string> = { stdout: 'o', stderr: 'e', system: 's' };
const STREAMS: Record<string, StreamName> = { o: 'stdout', e: 'stderr', s: 'system' };

/** Lines as they are stored: a letter for the stream (capital for progress), ms, tab, text, newline. */
function encodeLines(lines: readonly LogLine[]): Buffer {
  let text = '';
  for (const line of lines) {
    const code = CODES[line.stream];
    text += `${line.kind === 'progress' ? code.toUpperCase() : code}${Math.floor(line.time)}\t${line.text}\n`;
  }
  return Buffer.from(text);
}

function decodeLines(text: string, header: ChunkHeader): LogLine[] {
  const lines: LogLine[] = [];
  let at = 0;
  for (let i = 0; i < header.count; i += 1) {
    const tab = text.indexOf('\t', at);
    const end = text.indexOf('\n', tab);
    if (tab < 0 || end < 0) break;
    const code = text[at]!;
    const kind = code < 'a' ? 'progress' : 'log';
    const stream = STREAMS[code.toLowerCase()] ?? 'system';
    lines.push({
      seq: header.seq + i,
      time: Number(text.slice(at + 1, tab)),
      stream,
      kind,
      text: text.slice(tab + 1, end),
    });
    at = end + 1;
  }
  return lines;
}

/** A whole chunk (header and payload) of consecutive lines; compressed in the thread pool. */
export async function packChunk(lines: readonly LogLine[]): Promise<Buffer> {
  const raw = encodeLines(lines);
  const payload = await compress(raw, LEVEL);
  const header = Buffer.alloc(CHUNK_HEADER);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(payload.length, 4);
  header.writeUInt32LE(raw.length, 8);
  header.writeUInt32LE(lines.length, 12);
  header.writeDoubleLE(lines[0]!.seq, 16);
  header.writeDoubleLE(lines[0]!.time, 24);
  header.writeUInt32LE(crc32(payload), 32);
  return Buffer.concat([header, payload]);
}

/** Reads a header; undefined if there is none (a torn write, another file). */
export function readHeader(bytes: Buffer): ChunkHeader | undefined {
  if (bytes.length < CHUNK_HEADER || bytes.readUInt32LE(0) !== MAGIC) return undefined;
  const header = {
    length: bytes.readUInt32LE(4),
    raw: bytes.readUInt32LE(8),
    count: bytes.readUInt32LE(12),
    seq: bytes.readDoubleLE(16),
    time: bytes.readDoubleLE(24),
    crc: bytes.readUInt32LE(32),
  };
  return Number.isSafeInteger(header.seq) && header.count > 0 ? header : undefined;
}

/** True if the payload is what was written. */
export const isIntact = (payload: Buffer, header: ChunkHeader): boolean => crc32(payload) === header.crc;

/** The lines of a chunk; undefined if the payload is damaged. */
export async function unpackChunk(payload: Buffer, header: ChunkHeader): Promise<LogLine[] | undefined> {
  if (!isIntact(payload, header)) return undefined;
  const raw = await decompress(payload, { maxOutputLength: header.raw });
  return decodeLines(raw.toString(), header);
}
