import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { PassThrough, Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { DriverError } from '../errors.ts';

/** Programs that can undo xz, which Node cannot; the first one found is used. */
const XZ_PROGRAMS: [string, string[]][] = [
  ['xz', ['-dc']],
  [
    'python3',
    ['-c', 'import lzma,shutil,sys;shutil.copyfileobj(lzma.open(sys.stdin.buffer),sys.stdout.buffer,1<<20)'],
  ],
  ['bsdcat', []],
];

/** Undoes xz on a stream. Errors of the program surface on the returned stream. */
export function xzStream(source: Readable): Readable {
  const out = new PassThrough();
  const attempt = (at: number) => {
    const program = XZ_PROGRAMS[at];
    if (!program) {
      out.destroy(
        new DriverError(
          'BUILD_FAILED',
          'nothing here can unpack xz',
          'Install xz-utils (or Python 3) and try again.',
        ),
      );
      return;
    }
    const child = spawn(program[0], program[1], { stdio: ['pipe', 'pipe', 'pipe'] });
    let said = '';
    child.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ENOENT' ? attempt(at + 1) : out.destroy(error),
    );
    child.on('spawn', () => {
      child.stdin.on('error', () => {});
      source.on('error', (error) => out.destroy(error));
      source.pipe(child.stdin);
      child.stdout.pipe(out, { end: false });
      child.stderr.on('data', (d) => {
        said = (said + d).slice(-2000);
      });
      child.on('close', (code) => {
        if (code === 0) out.end();
        else out.destroy(new DriverError('BUILD_FAILED', `${program[0]} failed (${code}): ${said.trim()}`));
      });
    });
  };
  attempt(0);
  return out;
}

export async function decompressXz(packed: Buffer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of xzStream(Readable.from([packed]))) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/**
 * The tar stream of a Debian package's files (`data.tar.*` inside the outer ar archive, deb(5)).
 * Maintainer scripts are neither read nor run.
 */
export async function debDataTar(path: string): Promise<Readable> {
  const file = await open(path, 'r');
  try {
    const magic = Buffer.alloc(8);
    await file.read(magic, 0, 8, 0);
    if (magic.toString('latin1') !== '!<arch>\n')
      throw new DriverError('BUILD_FAILED', `${path} is not a Debian package`);
    let offset = 8;
    for (;;) {
      const header = Buffer.alloc(60);
      const { bytesRead } = await file.read(header, 0, 60, offset);
      if (bytesRead < 60) throw new DriverError('BUILD_FAILED', `${path} holds no data.tar`);
      const name = header.toString('latin1', 0, 16).trim().replace(/\/$/, '');
      const size = Number(header.toString('latin1', 48, 58).trim());
      const start = offset + 60;
      if (name.startsWith('data.tar')) {
        const raw = createReadStream(path, { start, end: start + size - 1 });
        if (name.endsWith('.xz')) return xzStream(raw);
        if (name.endsWith('.zst')) return raw.pipe(createZstdDecompress());
        if (name.endsWith('.gz')) return raw.pipe(createGunzip());
        if (name === 'data.tar') return raw;
        throw new DriverError('BUILD_FAILED', `${path}: unknown compression of ${name}`);
      }
      offset = start + size + (size % 2);
    }
  } finally {
    await file.close();
  }
}
