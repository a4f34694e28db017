import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DriverError } from '../errors.ts';

/** Debian's name of a processor architecture. */
export type Architecture = 'amd64' | 'arm64';

/** One layer of an image: Debian packages (with what they depend on, less `without`), or Python wheels. */
export interface LayerDefinition {
  name: string;
  debs?: string[];
  without?: string[];
  /** PyPI names; `name==version` holds a version at the next relock. What they require is pinned with them. */
  wheels?: string[];
}

/** What a worker image is made of, before versions are pinned. */
export interface ImageDefinition {
  name: string;
  description: string;
  /** Another definition whose layers come first. */
  from?: string;
  suite: string;
  /** Python's minor version, e.g. `3.13`. */
  python: string;
  layers: LayerDefinition[];
  env: Record<string, string>;
}

/** Folder with one sub-folder per standard image. `VGPU_IMAGES_DIR` points elsewhere in a bundled install. */
export function imagesDir(): string {
  return process.env.VGPU_IMAGES_DIR ?? fileURLToPath(new URL('../../../../worker/images', import.meta.url));
}

/** Reads `<dir>/<name>/image.json`. Throws `DriverError` BAD_LAUNCH when there is none of that name. */
export async function readDefinition(name: string, dir = imagesDir()): Promise<ImageDefinition> {
  if (!/^[a-z0-9][a-z0-9_-]*$/.test(name)) {
    throw new DriverError(
      'BAD_LAUNCH',
      `"${name}" is not a name of an image definition`,
      'Use lower-case letters, digits, - and _.',
    );
  }
  try {
    return JSON.parse(await readFile(join(dir, name, 'image.json'), 'utf8')) as ImageDefinition;
  } catch (cause) {
    const known = await listDefinitions(dir).catch(() => []);
    throw new DriverError('BAD_LAUNCH', `no image definition "${name}"`, `Known: ${known.join(', ')}.`, {
      cause,
    });
  }
}

/** Names of the standard definitions, sorted. */
export async function listDefinitions(dir = imagesDir()): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true });
  return entries
    .filter((e) => e.isDirectory())
    .map((e) => e.name)
    .sort();
}

/** The definition with its ancestors, oldest first. Throws on a cycle. */
export async function lineage(name: string, dir = imagesDir()): Promise<ImageDefinition[]> {
  const chain: ImageDefinition[] = [];
  for (let next: string | undefined = name; next; ) {
    const known: string = next;
    if (chain.some((d) => d.name === known))
      throw new DriverError('BAD_LAUNCH', `image "${name}" descends from itself`);
    const definition: ImageDefinition = await readDefinition(known, dir);
    chain.unshift(definition);
    next = definition.from;
  }
  return chain;
}

/** This machine's architecture in Debian's words. Throws UNSUPPORTED elsewhere than x64 and arm64. */
export function hostArchitecture(): Architecture {
  if (process.arch === 'x64') return 'amd64';
  if (process.arch === 'arm64') return 'arm64';
  throw new DriverError(
    'UNSUPPORTED',
    `worker images are not built for ${process.arch}`,
    'Use x64 or arm64.',
  );
}
