import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { type Header, pack } from 'tar-stream';

export interface TestBundle {
  hash: string;
  body: Buffer;
}

/** A tar of entries as given, hostile ones included, gzipped, with the hash of the tar. */
export async function bundleOf(
  entries: readonly (Partial<Header> & { name: string; content?: string | Buffer })[],
): Promise<TestBundle> {
  const tar = pack();
  for (const { content, ...header } of entries) {
    if (content === undefined) tar.entry(header, '');
    else tar.entry(header, Buffer.from(content));
  }
  tar.finalize();
  const bytes = await buffer(tar);
  return { hash: createHash('sha256').update(bytes).digest('hex'), body: gzipSync(bytes) };
}

/** A bundle of plain files by name. */
export const filesBundle = (files: Record<string, string>): Promise<TestBundle> =>
  bundleOf(Object.entries(files).map(([name, content]) => ({ name, content, mtime: new Date(0) })));
