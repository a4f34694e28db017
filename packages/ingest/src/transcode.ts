import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Decoder } from './decode.ts';
import type { RegularityCheck } from './regularity.ts';
import type { WalkOptions } from './walk-table.ts';

/** What a file in another encoding, or with bytes that are no text, took to become UTF-8. */
export interface Transcoded {
  path: string;
  bytes: number;
  /** Bytes that were not UTF-8, and NULs that were taken out. */
  strays: number;
  nuls: number;
  /** Its beginning, and the whole lines of its end. */
  head: Buffer;
  tail: string;
}

const headLength = 1 << 18;
const tailLength = 4096;

/** Writes a file's text as UTF-8 to `to`, without a byte order mark, and shows `check` every byte of it. */
export async function transcode(
  from: { path: string; encoding: string; bom: number },
  to: string,
  check: RegularityCheck,
  options: WalkOptions,
): Promise<Transcoded> {
  const decoder = new Decoder(from.encoding);
  const file = await open(to, 'wx');
  let buffer = Buffer.allocUnsafe(1 << 22);
  let bytes = 0;
  let head: Buffer = Buffer.alloc(0);
  let tail = '';
  const put = async (text: string): Promise<void> => {
    // No character takes more than three bytes for each unit of the string.
    if (text.length * 3 > buffer.length) buffer = Buffer.allocUnsafe(text.length * 3);
    const piece = buffer.subarray(0, buffer.write(text, 'utf8'));
    check.push(piece);
    if (head.length < headLength) head = Buffer.concat([head, piece.subarray(0, headLength - head.length)]);
    tail = (tail + text.slice(-tailLength)).slice(-tailLength);
    bytes += piece.length;
    for (let at = 0; at < piece.length; ) at += (await file.write(piece, at)).bytesWritten;
  };
  try {
    let read = from.bom;
    for await (const chunk of createReadStream(from.path, { start: from.bom, highWaterMark: 1 << 20 })) {
      options.signal?.throwIfAborted();
      await put(decoder.push(chunk as Buffer));
      read += (chunk as Buffer).length;
      options.onBytes?.(read);
    }
    await put(decoder.end());
    check.end();
    tail = tail.slice(tail.indexOf('\n') + 1);
    return { path: to, bytes, strays: decoder.strays, nuls: decoder.nuls, head, tail };
  } finally {
    await file.close();
  }
}
