import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { formatBytes, VgpuError } from '@vgpu/core';

/** Largest file that may be uploaded: 64 GiB. The disk is the real bound; this one stops endless streams. */
export const MAX_UPLOAD_BYTES = 64 * 2 ** 30;

/**
 * Streams an upload into a temporary file, hands its path to `use`, and removes it afterwards.
 * @throws VgpuError `TOO_LARGE`, `DISK_FULL`.
 */
export async function withUpload<T>(
  upload: Readable,
  temporary: string,
  use: (path: string) => Promise<T>,
  limit: number = MAX_UPLOAD_BYTES,
): Promise<T> {
  const path = join(temporary, `upload-${crypto.randomUUID()}`);
  let total = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      total += chunk.length;
      if (total <= limit) return done(null, chunk);
      const advice = 'Split it, or put it where workers can reach it.';
      done(new VgpuError('TOO_LARGE', { what: 'the file', limit: formatBytes(limit), advice }));
    },
  });
  try {
    await pipeline(upload, counted, createWriteStream(path, { flags: 'wx', mode: 0o600 }));
    return await use(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOSPC') {
      throw new VgpuError('DISK_FULL', { path: temporary }, { cause });
    }
    throw cause;
  } finally {
    await rm(path, { force: true });
  }
}
