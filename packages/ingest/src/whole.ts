import type { FileHandle } from 'node:fs/promises';
import { VgpuError } from '@vgpu/core';

/**
 * Writes all of some bytes at a place of a file.
 * @throws VgpuError `DISK_FULL`.
 */
export async function writeWhole(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  try {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done);
      done += bytesWritten;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
      throw new VgpuError('DISK_FULL', { path: 'the data folder' });
    throw error;
  }
}

/** Fills some bytes from a place of a column store's file. @throws where it ends before. */
export async function readWhole(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, at + done);
    if (bytesRead === 0) throw new Error('the column store ends early');
    done += bytesRead;
  }
}
