import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as tar from 'tar-stream';
import { DriverError } from '../errors.ts';

/** What one path of the image is. Owners are always root and times always the lock's, so neither is kept. */
export type Node =
  | { type: 'file'; mode: number; size: number; layer: string }
  | { type: 'directory'; mode: number; layer: string }
  | { type: 'symlink'; to: string; layer: string };

/** Aliases of a merged /usr: Debian packages may still name them. */
const MERGED = new Set(['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32']);

/** Documentation and other matter that a worker never reads; licences stay. */
export function isBallast(path: string): boolean {
  if (path.startsWith('usr/share/doc/')) return !/^usr\/share\/doc\/[^/]+(\/copyright)?$/.test(path);
  if (
    /^usr\/share\/(man|info|locale|lintian|bug|doc-base|bash-completion|pixmaps|applications)(\/|$)/.test(
      path,
    )
  )
    return true;
  if (path.endsWith('/EXTERNALLY-MANAGED')) return true;
  if (
    /\/dist-packages\/(numpy|scipy|pandas|sklearn|matplotlib|joblib|fontTools|contourpy|threadpoolctl)\/(.*\/)?tests\//.test(
      path,
    )
  )
    return true;
  return /\/__pycache__(\/|$)/.test(path) || /^(var\/cache|var\/log|tmp|run|proc|sys|dev)\/./.test(path);
}

/**
 * An image's files while they are put together: contents under `root` on disk (a real tree, so that the
 * image's own Python can run from it), modes and links in memory.
 */
export class RootTree {
  readonly root: string;
  readonly nodes = new Map<string, Node>();

  constructor(root: string) {
    this.root = root;
  }

  /** `./lib/x86_64-linux-gnu/libc.so.6` → `usr/lib/x86_64-linux-gnu/libc.so.6`. */
  normalise(path: string): string {
    const parts = path.split('/').filter((p) => p !== '' && p !== '.');
    if (parts.includes('..')) throw new DriverError('BUILD_FAILED', `path "${path}" leaves the image`);
    if (parts.length > 1 && MERGED.has(parts[0]!)) parts.unshift('usr');
    return parts.join('/');
  }

  async directory(path: string, mode: number, layer: string): Promise<void> {
    const name = this.normalise(path);
    if (name === '' || isBallast(name) || this.nodes.get(name)?.type === 'symlink') return;
    await this.parents(name, layer);
    if (this.nodes.get(name)?.type !== 'directory') this.nodes.set(name, { type: 'directory', mode, layer });
    await mkdir(join(this.root, name), { recursive: true });
  }

  async file(
    path: string,
    mode: number,
    layer: string,
    content: Buffer | Readable,
    options: { keepCompiled?: boolean } = {},
  ): Promise<void> {
    const name = this.normalise(path);
    if (isBallast(name) && !(options.keepCompiled && name.endsWith('.pyc'))) {
      if (!Buffer.isBuffer(content)) for await (const _ of content);
      return;
    }
    await this.parents(name, layer);
    const target = join(this.root, name);
    await rm(target, { force: true });
    const bits = mode & 0o111 ? 0o755 : 0o644;
    let size = 0;
    if (Buffer.isBuffer(content)) {
      size = content.length;
      await writeFile(target, content, { mode: bits });
    } else {
      content.on('data', (c: Buffer) => {
        size += c.length;
      });
      await pipeline(content, createWriteStream(target, { mode: bits }));
    }
    // Set-uid bits have no use in a worker that may not gain privileges.
    this.nodes.set(name, { type: 'file', mode: bits, size, layer });
  }

  async symlink(path: string, to: string, layer: string): Promise<void> {
    const name = this.normalise(path);
    if (isBallast(name)) return;
    await this.parents(name, layer);
    this.nodes.set(name, { type: 'symlink', to, layer });
    const target = join(this.root, name);
    await rm(target, { force: true, recursive: true });
    // On disk an absolute link would point at the host's files; inside the image it stays absolute.
    const within = to.startsWith('/') ? `${'../'.repeat(name.split('/').length - 1)}${to.slice(1)}` : to;
    await symlink(within, target);
  }

  /** Unpacks a tar stream of package files. Device nodes and set-uid bits are left out. */
  async unpack(source: Readable, layer: string): Promise<void> {
    const extract = tar.extract();
    const done = pipeline(source, extract);
    done.catch(() => {});
    const hardLinks: { path: string; to: string }[] = [];
    for await (const entry of extract) {
      const { name, type, mode = 0o644, linkname } = entry.header;
      if (type === 'file' || type === 'contiguous-file')
        await this.file(name, mode, layer, entry as unknown as Readable);
      else {
        if (type === 'directory') await this.directory(name, mode & 0o1777, layer);
        else if (type === 'symlink') await this.symlink(name, linkname!, layer);
        else if (type === 'link') hardLinks.push({ path: name, to: linkname! });
        entry.resume();
      }
    }
    await done;
    for (const { path, to } of hardLinks) {
      const from = this.normalise(to);
      const original = this.nodes.get(from);
      if (original?.type === 'file')
        await this.file(path, original.mode, layer, createReadStream(join(this.root, from)));
    }
  }

  private async parents(name: string, layer: string): Promise<void> {
    const parts = name.split('/').slice(0, -1);
    for (let i = 1; i <= parts.length; i++) {
      const parent = parts.slice(0, i).join('/');
      if (!this.nodes.has(parent)) this.nodes.set(parent, { type: 'directory', mode: 0o755, layer });
    }
    await mkdir(dirname(join(this.root, name)), { recursive: true });
  }

  /**
   * Writes one layer as a tar whose bytes depend on its files alone: sorted names, root as owner, one time for
   * all. Returns its size and SHA-256.
   */
  async writeLayer(
    layer: string,
    mtime: Date,
    target: string,
    signal?: AbortSignal,
  ): Promise<{ sha256: string; size: number }> {
    const pack = tar.pack();
    const hash = createHash('sha256');
    let size = 0;
    const file = createWriteStream(target, { highWaterMark: 1 << 20 });
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        size += chunk.length;
        if (file.write(chunk)) done();
        else file.once('drain', () => done());
      },
      final(done) {
        file.end(done);
      },
    });
    const written = pipeline(pack, sink, { signal });
    written.catch(() => {});
    const common = { uid: 0, gid: 0, uname: '', gname: '', mtime };
    const names = [...this.nodes.keys()]
      .filter((n) => this.nodes.get(n)!.layer === layer)
      .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    for (const name of names) {
      const node = this.nodes.get(name)!;
      if (node.type === 'directory')
        pack.entry({ ...common, name: `${name}/`, type: 'directory', mode: node.mode });
      else if (node.type === 'symlink')
        pack.entry({ ...common, name, type: 'symlink', linkname: node.to, mode: 0o777 });
      else {
        const entry = pack.entry({ ...common, name, type: 'file', mode: node.mode, size: node.size });
        await pipeline(createReadStream(join(this.root, name), { highWaterMark: 1 << 18 }), entry);
      }
    }
    pack.finalize();
    await written;
    return { sha256: hash.digest('hex'), size };
  }
}
