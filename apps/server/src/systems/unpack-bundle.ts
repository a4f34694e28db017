import { createHash } from 'node:crypto';
import { createWriteStream, existsSync } from 'node:fs';
import { chmod, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { formatBytes, VgpuError } from '@vgpu/core';
import { extract } from 'tar-stream';

export interface BundleLimits {
  /** Bytes as uploaded. */
  compressed: number;
  /** Bytes of the tar. */
  bytes: number;
  files: number;
}

export const defaultBundleLimits: BundleLimits = {
  compressed: 256 * 2 ** 20,
  bytes: 2 ** 30,
  files: 20_000,
};

const MAX_PATH_BYTES = 1024;
const MAX_DEPTH = 64;

const refuse = (problem: string): never => {
  throw new VgpuError('BAD_BUNDLE', { problem });
};

/** The entry's path, cleaned; refuses those that lead elsewhere or that no file system takes. */
export function safePath(name: string): string {
  const shown = JSON.stringify(name.slice(0, 120));
  if (name.includes('\0')) refuse(`the name ${shown} has a NUL in it`);
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name)) refuse(`the name ${shown} is absolute`);
  if (name.includes('\\')) refuse(`the name ${shown} has a backslash in it`);
  if (Buffer.byteLength(name) > MAX_PATH_BYTES)
    refuse(`the name ${shown}… is longer than ${MAX_PATH_BYTES} bytes`);
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) refuse(`the name ${shown} leads out of the folder`);
  if (parts.length > MAX_DEPTH) refuse(`the name ${shown} is more than ${MAX_DEPTH} folders deep`);
  if (parts.some((part) => Buffer.byteLength(part) > 255))
    refuse(`a part of ${shown} is longer than 255 bytes`);
  return parts.join('/');
}

/** Counts bytes and stops the stream beyond a limit. */
function limited(limit: number, what: string, each?: (chunk: Buffer) => void): Transform {
  let total = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      total += chunk.length;
      if (total > limit) {
        done(new VgpuError('BAD_BUNDLE', { problem: `${what} is larger than ${formatBytes(limit)}` }));
        return;
      }
      each?.(chunk);
      done(null, chunk);
    },
  });
}

/**
 * Unpacks a gzipped tar of plain files and folders, checks its hash, and puts it in place whole.
 * Links, devices, FIFOs, paths that lead out, doubles and bombs are refused; nothing of a refused one stays
 * (the caller removes `into`).
 */
export async function unpackBundle(
  upload: Readable,
  options: { into: string; target: string; hash: string; limits: BundleLimits },
): Promise<{ files: number; bytes: number }> {
  const { into, target, limits } = options;
  const tarHash = createHash('sha256');
  const seen = new Set<string>();
  let bytes = 0;
  await mkdir(into, { recursive: true, mode: 0o755 });
  const unpack = extract();
  const writing = (async () => {
    for await (const entry of unpack) {
      const { header } = entry;
      const path = safePath(header.name);
      if (header.type === 'directory') {
        if (path !== '') await mkdir(join(into, path), { recursive: true, mode: 0o755 });
        entry.resume();
        continue;
      }
      if (header.type !== 'file') refuse(`"${path}" is a ${header.type}; only files and folders are taken`);
      if (path === '') refuse('a file has no name');
      if (seen.has(path)) refuse(`"${path}" is there twice`);
      seen.add(path);
      if (seen.size > limits.files) refuse(`it has more than ${limits.files} files`);
      bytes += header.size ?? 0;
      await mkdir(dirname(join(into, path)), { recursive: true, mode: 0o755 });
      const mode = ((header.mode ?? 0) & 0o100) !== 0 ? 0o555 : 0o444;
      await pipeline(entry, createWriteStream(join(into, path), { flags: 'wx', mode }));
    }
  })();
  const reading = pipeline(
    upload,
    limited(limits.compressed, 'the upload'),
    createGunzip(),
    limited(limits.bytes, 'what it unpacks to', (chunk) => tarHash.update(chunk)),
    unpack,
  );
  try {
    await Promise.all([reading, writing]);
  } catch (cause) {
    upload.destroy();
    await Promise.allSettled([reading, writing]);
    if (cause instanceof VgpuError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOSPC') throw new VgpuError('DISK_FULL', { path: dirname(target) }, { cause });
    if (code === 'EEXIST' || code === 'ENOTDIR') refuse('a name in it is both a file and a folder');
    throw new VgpuError('BAD_BUNDLE', { problem: `it is no sound gzipped tar (${message})` }, { cause });
  }
  if (seen.size === 0) refuse('it holds no files');
  const actual = tarHash.digest('hex');
  if (actual !== options.hash) refuse(`its content hashes to ${actual}, not to ${options.hash}`);
  await chmod(into, 0o755);
  if (!existsSync(target)) {
    await rename(into, target).catch((error: NodeJS.ErrnoException) => {
      // Somebody else uploaded the same content meanwhile.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  }
  return { files: seen.size, bytes };
}
