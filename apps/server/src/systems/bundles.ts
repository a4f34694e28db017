import { existsSync } from 'node:fs';
import { readFile, realpath, rm } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { VgpuError } from '@vgpu/core';
import type { Store } from '@vgpu/store';
import { type BundleLimits, defaultBundleLimits, unpackBundle } from './unpack-bundle.ts';

export interface BundleInfo {
  hash: string;
  files: number;
  bytes: number;
}

const HASH = /^[0-9a-f]{64}$/;

/** Uploaded script folders, each once by content, unpacked read-only under `bundles/<hash>`. */
export class Bundles {
  readonly #store: Store;
  readonly #dir: string;
  readonly #temporary: string;
  readonly #limits: BundleLimits;
  /** Scripts that were found before: a bundle never changes. */
  readonly #scripts = new Set<string>();

  constructor(store: Store, dirs: { bundles: string; temporary: string }, limits = defaultBundleLimits) {
    this.#store = store;
    this.#dir = dirs.bundles;
    this.#temporary = dirs.temporary;
    this.#limits = limits;
  }

  folder(hash: string): string {
    if (!HASH.test(hash)) throw new VgpuError('NOT_FOUND', { what: 'bundle', id: hash, list: 'ps' });
    return join(this.#dir, hash);
  }

  /** What is known of a bundle in a project; undefined where it was not uploaded. */
  async find(project: string, hash: string): Promise<BundleInfo | undefined> {
    if (!HASH.test(hash) || !existsSync(join(this.#dir, hash))) return undefined;
    return this.#store.read
      .selectFrom('bundles')
      .select(['hash', 'files', 'bytes'])
      .where('project', '=', project)
      .where('hash', '=', hash)
      .executeTakeFirst();
  }

  /** @throws VgpuError `NOT_FOUND`. */
  async get(project: string, hash: string): Promise<BundleInfo> {
    const found = await this.find(project, hash);
    if (!found) throw new VgpuError('NOT_FOUND', { what: 'bundle', id: hash, list: 'ps' });
    return found;
  }

  /**
   * Takes an upload: a gzipped tar whose uncompressed bytes hash to `hash`.
   * @throws VgpuError `BAD_BUNDLE` for whatever is hostile or broken in it.
   */
  async put(project: string, hash: string, upload: Readable): Promise<BundleInfo> {
    if (!HASH.test(hash)) throw new VgpuError('BAD_BUNDLE', { problem: 'its name is no SHA-256 in hex' });
    const target = join(this.#dir, hash);
    const staging = join(this.#temporary, `bundle-${crypto.randomUUID()}`);
    let content: { files: number; bytes: number };
    try {
      content = await unpackBundle(upload, { into: staging, target, hash, limits: this.#limits });
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
    await this.#store.write((trx) =>
      trx
        .insertInto('bundles')
        .values({ project, hash, ...content, created_at: Date.now() })
        .onConflict((c) => c.doNothing())
        .execute(),
    );
    return { hash, ...content };
  }

  /** Makes sure that a script is in a bundle. @throws VgpuError as {@link script}. */
  async checkScript(hash: string, path: string): Promise<void> {
    const key = `${hash} ${path}`;
    if (this.#scripts.has(key)) return;
    await this.script(hash, path);
    if (this.#scripts.size >= 10_000) this.#scripts.clear();
    this.#scripts.add(key);
  }

  /**
   * Text of a file of a bundle.
   * @throws VgpuError `BAD_SPEC` (path `script`) when the path leaves the bundle or names no file.
   */
  async script(hash: string, path: string): Promise<string> {
    const root = this.folder(hash);
    const file = resolve(root, path);
    const within = relative(root, file);
    const missing = new VgpuError('BAD_SPEC', {
      path: 'script',
      problem: `there is no file "${path}" in the uploaded folder`,
    });
    if (within === '' || within.startsWith('..') || resolve(path) === path) throw missing;
    try {
      const real = await realpath(file);
      if (!real.startsWith((await realpath(root)) + sep)) throw missing;
      return await readFile(real, 'utf8');
    } catch (cause) {
      if (cause instanceof VgpuError) throw cause;
      throw missing;
    }
  }
}
