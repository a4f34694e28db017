import { type FileHandle, open } from 'node:fs/promises';
import { CHUNK_HEADER, type ChunkHeader, isIntact, readHeader } from './chunk.ts';

/** A chunk and where it lies in its file. */
export type Placed = ChunkHeader & { offset: number };

/** One file of chunks, named by the number of its first line. */
export type Segment = { path: string; size: number };

/** `000000000123.vlog` */
export const segmentName = (seq: number): string => `${String(seq).padStart(12, '0')}.vlog`;
export const isSegment = (name: string): boolean => /^\d{12,}\.vlog$/.test(name);

/**
 * The chunks of a file, by hopping over the headers. `size` is where the last whole chunk ends: what
 * follows was torn by a crash.
 */
export async function scanSegment(path: string): Promise<{ chunks: Placed[]; size: number }> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const header = Buffer.alloc(CHUNK_HEADER);
    const chunks: Placed[] = [];
    let offset = 0;
    while (offset + CHUNK_HEADER <= size) {
      await file.read(header, 0, CHUNK_HEADER, offset);
      const chunk = readHeader(header);
      if (chunk === undefined || offset + CHUNK_HEADER + chunk.length > size) break;
      chunks.push({ ...chunk, offset });
      offset += CHUNK_HEADER + chunk.length;
    }
    // File sizes can reach the disk before the data: the last chunk is checked in full.
    const last = chunks.at(-1);
    if (last !== undefined && !isIntact(await readPayload(file, last), last)) {
      chunks.pop();
      offset = last.offset;
    }
    return { chunks, size: offset };
  } finally {
    await file.close();
  }
}

/** The bytes of a chunk after its header. */
export async function readPayload(file: FileHandle, chunk: Placed): Promise<Buffer> {
  const payload = Buffer.allocUnsafe(chunk.length);
  const { bytesRead } = await file.read(payload, 0, chunk.length, chunk.offset + CHUNK_HEADER);
  return payload.subarray(0, bytesRead);
}
