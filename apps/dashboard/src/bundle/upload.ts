import { routes } from '@vgpu/api';
import { VgpuError } from '@vgpu/core';
import { client } from '../server/client.ts';
import { sha256Hex } from './sha256.ts';
import { tar } from './tar.ts';

/** Never uploaded: version control, environments, caches. */
const skipped =
  /(^|\/)(\.git|\.hg|\.svn|\.venv|venv|__pycache__|node_modules|\.ipynb_checkpoints)(\/|$)|(\.pyc|\.DS_Store)$/;
const most = 256 * 2 ** 20;

export interface ScriptFile {
  /** Relative to the folder, with `/`. */
  path: string;
  file: File;
}

/** The files of a drop that belong to the script's folder. */
export const worthSending = (files: readonly ScriptFile[]): ScriptFile[] =>
  files.filter((one) => !skipped.test(one.path));

async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Blob> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip'));
  return await new Response(stream).blob();
}

/**
 * Uploads a script's folder, unless the server has it already.
 * @returns the content hash that a submission names.
 * @throws VgpuError `TOO_LARGE`, or as the server says.
 */
export async function uploadBundle(files: readonly ScriptFile[]): Promise<string> {
  const wanted = worthSending(files);
  const total = wanted.reduce((sum, one) => sum + one.file.size, 0);
  if (total > most) {
    throw new VgpuError('TOO_LARGE', {
      what: 'the folder of the script',
      limit: '256 MiB',
      advice: 'Drop only the script and its modules; data goes in as datasets.',
    });
  }
  const packed = tar(
    await Promise.all(
      wanted.map(async ({ path, file }) => ({ path, bytes: new Uint8Array(await file.arrayBuffer()) })),
    ),
  );
  const hash = await sha256Hex(packed);
  try {
    await client.call(routes.bundles.exists, { params: { hash } });
    return hash;
  } catch {
    await client.call(routes.bundles.put, { params: { hash }, body: await gzip(packed) });
    return hash;
  }
}
