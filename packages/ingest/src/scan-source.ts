import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { EncodingEvidence } from './encoding.ts';
import type { RegularityCheck } from './regularity.ts';

const pieceLength = 1 << 20;

export interface Scan {
  sha256: string;
  bytes: number;
  evidence: EncodingEvidence;
  /** The last bytes, up to 4 KiB. */
  tail: Buffer;
}

const tailLength = 4096;

/** One pass over every byte: hash, encoding evidence, the regularity check, and a copy where one is kept. */
export async function scanSource(
  path: string,
  bom: number,
  check: RegularityCheck | null,
  copyTo: string | null,
  options: {
    signal?: AbortSignal | undefined;
    onBytes?: (bytes: number) => void;
    /** Waited for before the first byte is read. */
    after?: Promise<void>;
  },
): Promise<Scan> {
  await options.after;
  const hash = createHash('sha256');
  const evidence = new EncodingEvidence();
  const file = await open(path);
  let copy: FileHandle | null = null;
  let bytes = 0;
  let tail: Buffer = Buffer.alloc(0);
  // Two buffers in turn: one is filled while the other is looked at, and none is left to be collected.
  const buffers = [Buffer.allocUnsafe(pieceLength), Buffer.allocUnsafe(pieceLength)];
  const fill = (turn: number) => file.read(buffers[turn % 2]!, 0, pieceLength, null);
  let reading: ReturnType<typeof fill> | null = null;
  try {
    copy = copyTo === null ? null : await open(copyTo, 'wx');
    reading = fill(0);
    for (let turn = 1; ; turn++) {
      const { bytesRead } = await reading;
      reading = null;
      if (bytesRead === 0) break;
      options.signal?.throwIfAborted();
      const chunk = buffers[(turn - 1) % 2]!.subarray(0, bytesRead);
      reading = fill(turn);
      const writing = copy?.write(chunk);
      hash.update(chunk);
      const text = bytes === 0 ? chunk.subarray(bom) : chunk;
      evidence.push(text);
      check?.push(text);
      bytes += chunk.length;
      // Copied, since the buffer is filled anew.
      tail = Buffer.concat([tail, chunk.subarray(-tailLength)]).subarray(-tailLength);
      const written = await writing;
      if (written && written.bytesWritten < chunk.length) await copy!.write(chunk, written.bytesWritten);
      options.onBytes?.(bytes);
    }
    evidence.end();
    check?.end();
    await copy?.sync();
    return { sha256: hash.digest('hex'), bytes, evidence, tail };
  } finally {
    await reading?.catch(() => {});
    await copy?.close();
    await file.close();
  }
}
