import { closeSync, fchmodSync, fchownSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import {
  CHECK,
  DEFAULT_CAPACITY,
  HEADER_SIZE,
  MAGIC,
  MAX_CAPACITY,
  MIN_CAPACITY,
  OFFSET,
  VERSION,
} from './layout.ts';

export type RingOptions = {
  /** Data bytes, a multiple of 4096 between 256 KiB and 256 MiB; default 4 MiB. */
  capacity?: number;
  /** Permission bits; default 0o600. */
  mode?: number;
  /** Owner, where the worker runs under another user than the server. */
  uid?: number;
  gid?: number;
};

/**
 * Creates an empty ring file, to be mounted into a worker; put it on tmpfs.
 * @throws RangeError for a bad capacity; the file system's error (EEXIST where a file is there).
 */
export function createRing(path: string, options: RingOptions = {}): void {
  const capacity = options.capacity ?? DEFAULT_CAPACITY;
  if (capacity % 4096 !== 0 || capacity < MIN_CAPACITY || capacity > MAX_CAPACITY)
    throw new RangeError(`ring capacity ${capacity}: expected a multiple of 4096 from 256 KiB to 256 MiB`);
  const fd = openSync(path, 'wx+', 0o600);
  try {
    const header = Buffer.alloc(HEADER_SIZE);
    header.write(MAGIC, OFFSET.magic, 'latin1');
    header.writeUInt32LE(VERSION, OFFSET.version);
    header.writeUInt32LE(HEADER_SIZE, OFFSET.headerSize);
    header.writeBigUInt64LE(BigInt(capacity), OFFSET.capacity);
    header.writeBigUInt64LE(CHECK, OFFSET.headCheck);
    header.writeBigUInt64LE(CHECK, OFFSET.tailCheck);
    ftruncateSync(fd, HEADER_SIZE + capacity);
    writeSync(fd, header, 0, HEADER_SIZE, 0);
    fchmodSync(fd, options.mode ?? 0o600);
    if (options.uid !== undefined) fchownSync(fd, options.uid, options.gid ?? options.uid);
  } finally {
    closeSync(fd);
  }
}
