import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DriverError } from '../errors.ts';
import { type Architecture, imagesDir } from './definition.ts';

/** A Debian package, pinned. `path` is relative to the mirror's root. */
export interface LockedDeb {
  layer: string;
  name: string;
  version: string;
  path: string;
  size: number;
  sha256: string;
}

/** A Python wheel, pinned. */
export interface LockedWheel {
  layer: string;
  name: string;
  version: string;
  url: string;
  size: number;
  sha256: string;
}

/** Every input of one image on one architecture. */
export interface ArchitectureLock {
  debs: LockedDeb[];
  wheels: LockedWheel[];
}

/** `worker/images/<name>/lock.json`. */
export interface ImageLock {
  format: 1;
  /** When the inputs were chosen (ISO 8601): the time of every file in the image, and of the image. */
  created: string;
  mirror: string;
  architectures: Partial<Record<Architecture, ArchitectureLock>>;
}

/** Reads a definition's lock. Throws BUILD_FAILED with the command that makes one where there is none. */
export async function readLock(name: string, dir = imagesDir()): Promise<ImageLock> {
  try {
    return JSON.parse(await readFile(join(dir, name, 'lock.json'), 'utf8')) as ImageLock;
  } catch (cause) {
    throw new DriverError(
      'BUILD_FAILED',
      `image "${name}" has no readable lock.json`,
      `Run: vgpu image lock ${name}`,
      { cause },
    );
  }
}

export async function writeLock(name: string, lock: ImageLock, dir = imagesDir()): Promise<void> {
  await writeFile(join(dir, name, 'lock.json'), `${JSON.stringify(lock, null, 2)}\n`);
}
