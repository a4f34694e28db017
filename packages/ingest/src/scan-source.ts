import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { EncodingEvidence } from './encoding.ts';
import type { RegularityCheck } from './regularity.ts';

export interface Scan {
  sha256: string;
  bytes: number;
  evidence: EncodingEvidence;
}

/** One pass over every byte: hash, encoding evidence, the regularity check, and a copy where one is kept. */
export async function scanSource(
  path: string,
  bom: number,
  check: RegularityCheck | null,
  copyTo: string | null,
  options: { signal?: AbortSignal | undefined; onBytes?: (bytes: number) => void },
): Promise<Scan> {
  const hash = createHash('sha256');
  const evidence = new EncodingEvidence();
  const copy = copyTo === null ? null : await open(copyTo, 'wx');
  let bytes = 0;
  try {
    for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) {
      options.signal?.throwIfAborted();
      const chunk = piece as Buffer;
      const writing = copy?.write(chunk);
      hash.update(chunk);
      const text = bytes === 0 ? chunk.subarray(bom) : chunk;
      evidence.push(text);
      check?.push(text);
      bytes += chunk.length;
      const written = await writing;
      if (written && written.bytesWritten < chunk.length) await copy!.write(chunk, written.bytesWritten);
      options.onBytes?.(bytes);
    }
    evidence.end();
    check?.end();
    await copy?.sync();
    return { sha256: hash.digest('hex'), bytes, evidence };
  } finally {
    await copy?.close();
  }
}
