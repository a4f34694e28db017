import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { VgpuError } from '@vgpu/core';

/** First bytes of formats that are often handed in by mistake, and what to do instead. */
const signatures: readonly { bytes: string; what: string }[] = [
  { bytes: '504b0304', what: 'a ZIP archive or an Excel workbook; unpack it or save it as CSV' },
  { bytes: '504b0506', what: 'an empty ZIP archive' },
  { bytes: '1f8b', what: 'gzip data; unpack it first (gunzip)' },
  { bytes: '28b52ffd', what: 'Zstandard data; unpack it first (unzstd)' },
  { bytes: '425a68', what: 'bzip2 data; unpack it first (bunzip2)' },
  { bytes: 'fd377a585a00', what: 'xz data; unpack it first (unxz)' },
  { bytes: '377abcaf271c', what: 'a 7-Zip archive; unpack it first' },
  { bytes: 'd0cf11e0a1b11ae1', what: 'an old Excel or Office file; save it as CSV' },
  { bytes: '25504446', what: 'a PDF document' },
  { bytes: '50415231', what: 'a Parquet file; export it as CSV' },
  { bytes: '4f524301', what: 'an ORC file; export it as CSV' },
  { bytes: '894844460d0a1a0a', what: 'an HDF5 file; export it as CSV' },
  { bytes: '53514c69746520666f726d6174203300', what: 'an SQLite database; export a table as CSV' },
  { bytes: '89504e47', what: 'a PNG picture' },
  { bytes: 'ffd8ff', what: 'a JPEG picture' },
  { bytes: '7f454c46', what: 'a program (ELF)' },
];

export interface SourceFile {
  path: string;
  /** Name for messages. */
  name: string;
  bytes: number;
  modified: number;
  /** Up to 256 KiB from the start. */
  head: Buffer;
}

const headBytes = 256 * 1024;

export const badDataset = (file: string, problem: string): VgpuError =>
  new VgpuError('BAD_DATASET', { file, problem });

/** Reads up to `length` bytes at `position`. */
export async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

function refuseSignature(head: Buffer, name: string): void {
  for (const { bytes, what } of signatures)
    if (head.subarray(0, bytes.length / 2).toString('hex') === bytes) throw badDataset(name, `is ${what}`);
  const start = head
    .subarray(0, 512)
    .toString('latin1')
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart();
  if (/^<(!doctype|html|\?xml)/i.test(start))
    throw badDataset(name, 'is an HTML or XML document, not a table');
  if (/^(\{\s*"|\[\s*[{[])/.test(start)) throw badDataset(name, 'is JSON, not a table of delimited text');
}

/**
 * @param called name for messages; default the path's last part.
 * Opens nothing but a regular, readable, non-empty file that can be text, and reads its head.
 * @throws VgpuError `FILE_NOT_FOUND`, `FILE_UNREADABLE` or `BAD_DATASET`.
 */
export async function openSource(path: string, called?: string): Promise<SourceFile> {
  const absolute = resolve(path);
  const name = called ?? basename(absolute);
  const unreadable = (problem: string) => new VgpuError('FILE_UNREADABLE', { path, problem });
  const explain = (error: unknown): VgpuError => {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      return new VgpuError('FILE_NOT_FOUND', { path, cwd: process.cwd() });
    if (code === 'EACCES' || code === 'EPERM') return unreadable('permission denied');
    if (code === 'ELOOP') return unreadable('its symbolic links go round in a circle');
    return unreadable((error as Error).message);
  };
  const info = await stat(absolute).catch((error: unknown) => {
    throw explain(error);
  });
  if (info.isDirectory()) throw unreadable('it is a folder; give one file');
  if (info.isFIFO()) throw unreadable('it is a named pipe; save it to a file first');
  if (info.isSocket()) throw unreadable('it is a socket');
  if (!info.isFile()) throw unreadable('it is a device, not a regular file');
  if (info.size === 0) throw badDataset(name, 'is empty');
  // Non-blocking, in case a pipe took the file's place since the check above.
  const file = await open(absolute, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw explain(error);
  });
  try {
    const head = await readAt(file, 0, Math.min(headBytes, info.size));
    refuseSignature(head, name);
    return { path: absolute, name, bytes: info.size, modified: info.mtimeMs, head };
  } finally {
    await file.close();
  }
}

/** @throws VgpuError `BAD_DATASET` where the file is not what it was when it was opened. */
export async function refuseChanged({ path, name, bytes, modified }: SourceFile): Promise<void> {
  const info = await stat(path).catch(() => null);
  if (info?.size !== bytes || info.mtimeMs !== modified) throw badDataset(name, 'changed while it was read');
}
