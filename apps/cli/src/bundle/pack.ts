import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { pack } from 'tar-stream';
import type { Collected } from './collect.ts';

export interface Packed {
  /** SHA-256 (hex) of the uncompressed tar. */
  hash: string;
  tar: Buffer;
}

/** 2020-01-01: the same for all, so that equal contents give equal bytes. */
const fixedTime = new Date(1_577_836_800_000);

/**
 * Packs a folder into a normalised tar: names in order, no owners, fixed times, modes 0644 or 0755.
 * Equal contents give equal bytes, whatever the machine or the moment.
 */
export async function packBundle({ root, files }: Collected): Promise<Packed> {
  const tar = pack();
  const chunks: Buffer[] = [];
  const hash = createHash('sha256');
  tar.on('data', (data) => {
    const chunk = data as Buffer;
    hash.update(chunk);
    chunks.push(chunk);
  });
  const done = new Promise<void>((resolve, reject) => {
    tar.on('end', resolve);
    tar.on('error', reject);
  });
  for (const { path, executable } of files) {
    const content = await readFile(join(root, path));
    tar.entry({ name: path, mode: executable ? 0o755 : 0o644, mtime: fixedTime, uid: 0, gid: 0 }, content);
  }
  tar.finalize();
  await done;
  return { hash: hash.digest('hex'), tar: Buffer.concat(chunks) };
}

/** The tar as it travels. */
export const compress = (tar: Buffer): Promise<Buffer> => promisify(gzip)(tar, { level: 6 });
