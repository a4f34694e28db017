import { dirname, relative, resolve } from 'node:path';
import { routes, type VgpuClient } from '@vgpu/api';
import { formatBytes, VgpuError } from '@vgpu/core';
import { note } from '../output/print.ts';
import { stderrStyle as style } from '../output/style.ts';
import { collectBundle } from './collect.ts';
import { compress, packBundle } from './pack.ts';

export interface Uploaded {
  hash: string;
  /** Path of the script inside the bundle. */
  script: string;
  files: number;
  bytes: number;
}

async function isKnown(client: VgpuClient, hash: string): Promise<boolean> {
  try {
    await client.call(routes.bundles.exists, { params: { hash } });
    return true;
  } catch (error) {
    if (error instanceof VgpuError && error.code === 'NOT_FOUND') return false;
    throw error;
  }
}

/**
 * Uploads a script with its folder, unless the server has these very bytes.
 * @param script path of a file, as the user gave it.
 * @param folder another root than the script's own folder.
 * @throws VgpuError `BAD_BUNDLE`, `TOO_LARGE`, `BAD_FLAG`.
 */
export async function uploadScript(client: VgpuClient, script: string, folder?: string): Promise<Uploaded> {
  const path = resolve(script);
  const top = resolve(folder ?? dirname(path));
  const collected = collectBundle(path, top, folder !== undefined);
  const inside = relative(top, path);
  if (inside.startsWith('..')) {
    throw new VgpuError('BAD_FLAG', {
      flag: '--folder',
      problem: `${script} is not inside ${folder}`,
      command: 'run',
    });
  }
  if (!collected.files.some((file) => file.path === inside)) {
    throw new VgpuError('BAD_BUNDLE', { problem: `an ignore file leaves out the script ${inside} itself` });
  }
  if (collected.scriptOnly) {
    note(
      style.dim(
        `${collected.root} is no folder of one script: only ${inside} is uploaded (--folder takes a folder)`,
      ),
    );
  }
  const packed = await packBundle(collected);
  if (!(await isKnown(client, packed.hash))) {
    const body = await compress(packed.tar);
    if (body.length > 2 ** 20)
      note(style.dim(`uploading ${collected.files.length} files, ${formatBytes(body.length)}`));
    await client.call(routes.bundles.put, { params: { hash: packed.hash }, body });
  }
  return { hash: packed.hash, script: inside, files: collected.files.length, bytes: collected.bytes };
}
