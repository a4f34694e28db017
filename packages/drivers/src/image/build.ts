import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DriverError } from '../errors.ts';
import { writeBaseFiles } from './base-files.ts';
import { compilePython } from './compile-python.ts';
import { debDataTar } from './deb.ts';
import {
  type Architecture,
  hostArchitecture,
  type ImageDefinition,
  imagesDir,
  lineage,
} from './definition.ts';
import { download } from './download.ts';
import { type ImageLock, readLock } from './lock.ts';
import { RootTree } from './root-tree.ts';
import { wheelFiles } from './wheel.ts';

/** Raised when the builder itself would write other bytes from the same inputs. */
const BUILDER_VERSION = 1;

export type BuildStep = 'build' | 'download' | 'unpack' | 'compile' | 'pack' | 'verify' | 'load';

export interface BuildProgress {
  step: BuildStep;
  message: string;
  /** Bytes or items done of `total`, where known. */
  done?: number;
  total?: number;
}

export interface BuildOptions {
  /** Folder for downloads and finished layers; a second build reuses both. */
  cacheDir: string;
  imagesDir?: string;
  onProgress?: (progress: BuildProgress) => void;
  signal?: AbortSignal;
  /** Builds everything twice, from the downloads on, and compares. */
  verify?: boolean;
  architecture?: Architecture;
}

/** A finished image on disk: what an engine is given, and the id that it will have there. */
export interface BuiltImage {
  name: string;
  /** `sha256:…` of the configuration: the engine's image id. */
  id: string;
  tag: string;
  config: string;
  layers: { sha256: string; size: number; path: string }[];
  cached: boolean;
}

/**
 * Builds a worker image from pinned inputs. The same lock gives the same id on every machine: no maintainer
 * script runs, owners and times are fixed, names are sorted. Needs neither root nor an engine. Work happens
 * in a folder of its own under `cacheDir` that is removed in every case. Throws BUILD_FAILED or DOWNLOAD_FAILED
 * with the step's name and last lines.
 */
export async function buildImage(name: string, options: BuildOptions): Promise<BuiltImage> {
  const dir = options.imagesDir ?? imagesDir();
  const architecture = options.architecture ?? hostArchitecture();
  const chain = await lineage(name, dir);
  const locks = await Promise.all(chain.map((d) => readLock(d.name, dir)));
  const inputs = JSON.stringify([
    BUILDER_VERSION,
    architecture,
    chain,
    locks.map((l) => [l.created, l.architectures[architecture]]),
  ]);
  const key = createHash('sha256').update(inputs).digest('hex').slice(0, 24);
  const layersDir = join(options.cacheDir, 'layers');
  await mkdir(layersDir, { recursive: true });
  const record = join(options.cacheDir, 'images', `${name}-${key}.json`);
  if (!options.verify) {
    const cached = await readRecord(record, layersDir);
    if (cached) return cached;
  }
  const first = await buildOnce(chain, locks, architecture, options, layersDir);
  if (options.verify) {
    options.onProgress?.({ step: 'verify', message: 'building again to compare' });
    const second = await buildOnce(chain, locks, architecture, options, layersDir);
    if (first.id !== second.id) {
      const differing = first.layers.findIndex((l, i) => l.sha256 !== second.layers[i]?.sha256);
      throw new DriverError(
        'BUILD_FAILED',
        `two builds of "${name}" differ (layer ${differing}: ${first.layers[differing]?.sha256} and ${second.layers[differing]?.sha256})`,
      );
    }
    options.onProgress?.({ step: 'verify', message: `both builds are ${first.id}` });
  }
  await mkdir(join(options.cacheDir, 'images'), { recursive: true });
  await writeFile(`${record}.part`, JSON.stringify(first));
  await rename(`${record}.part`, record);
  return first;
}

async function readRecord(record: string, layersDir: string): Promise<BuiltImage | undefined> {
  if (!existsSync(record)) return undefined;
  const image = JSON.parse(await readFile(record, 'utf8')) as BuiltImage;
  const layers = image.layers.map((l) => ({ ...l, path: join(layersDir, `${l.sha256}.tar`) }));
  return layers.every((l) => existsSync(l.path)) ? { ...image, layers, cached: true } : undefined;
}

async function buildOnce(
  chain: ImageDefinition[],
  locks: ImageLock[],
  architecture: Architecture,
  options: BuildOptions,
  layersDir: string,
): Promise<BuiltImage> {
  await mkdir(options.cacheDir, { recursive: true });
  const scratch = await mkdtemp(join(options.cacheDir, 'build-'));
  // Ctrl-C must not leave half a gigabyte behind.
  let step: BuildStep = 'download';
  const say = (message: string, done?: number, total?: number) => {
    options.signal?.throwIfAborted();
    options.onProgress?.({ step, message, done, total });
  };
  try {
    const tree = new RootTree(join(scratch, 'root'));
    const layers: BuiltImage['layers'] = [];
    const history: string[] = [];
    for (const [i, definition] of chain.entries()) {
      const lock = locks[i]!;
      const pinned = lock.architectures[architecture];
      if (!pinned)
        throw new DriverError(
          'BUILD_FAILED',
          `"${definition.name}" is not locked for ${architecture}`,
          `Run: vgpu image lock ${definition.name}`,
        );
      step = 'download';
      const files = await fetchInputs(definition.name, lock, architecture, options, say);
      const mtime = new Date(lock.created);
      for (const layer of definition.layers) {
        const id = `${definition.name}/${layer.name}`;
        step = 'unpack';
        const debs = pinned.debs.filter((d) => d.layer === layer.name);
        for (const [n, deb] of debs.entries()) {
          say(`${id}: ${deb.name} ${deb.version}`, n + 1, debs.length);
          await tree.unpack(await debDataTar(files.get(deb.sha256)!), id);
        }
        if (debs.length > 0 && layers.length === 0) await writeBaseFiles(tree, id, definition.python);
        const site = `usr/local/lib/python${definition.python}/dist-packages`;
        const wheels = pinned.wheels.filter((w) => w.layer === layer.name);
        for (const [n, wheel] of wheels.entries()) {
          say(`${id}: ${wheel.name} ${wheel.version}`, n + 1, wheels.length);
          for await (const file of wheelFiles(files.get(wheel.sha256)!, site)) {
            options.signal?.throwIfAborted();
            await tree.file(file.path, file.executable ? 0o755 : 0o644, id, file.data);
          }
        }
        step = 'compile';
        const folder =
          wheels.length > 0 ? site : layers.length === 0 ? `usr/lib/python${definition.python}` : undefined;
        if (folder) {
          say(`${id}: compiling Python files`);
          await compilePython(tree, id, folder, {
            python: definition.python,
            architecture,
            signal: options.signal,
            onLine: (line) => say(line),
          });
        }
        step = 'pack';
        say(`${id}: packing`);
        const temporary = join(scratch, 'layer.tar');
        const { sha256, size } = await tree.writeLayer(id, mtime, temporary, options.signal);
        const path = join(layersDir, `${sha256}.tar`);
        await rename(temporary, path);
        layers.push({ sha256, size, path });
        history.push(id);
      }
    }
    const last = chain.at(-1)!;
    const config = imageConfig(chain, locks.at(-1)!.created, architecture, layers, history);
    const id = `sha256:${createHash('sha256').update(config).digest('hex')}`;
    return { name: last.name, id, tag: `vgpu/${last.name}:latest`, config, layers, cached: false };
  } catch (error) {
    if (options.signal?.aborted)
      throw new DriverError('ABORTED', 'the build was stopped', '', { cause: error });
    if (error instanceof DriverError)
      throw new DriverError(error.code, `step "${step}": ${error.message}`, error.hint, {
        status: error.status,
        cause: error,
      });
    throw new DriverError('BUILD_FAILED', `step "${step}": ${(error as Error).message}`, '', {
      cause: error,
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The image's configuration (OCI image spec). Its bytes are the image's identity, so its keys are in one order. */
function imageConfig(
  chain: ImageDefinition[],
  created: string,
  architecture: Architecture,
  layers: { sha256: string }[],
  history: string[],
): string {
  const env = Object.assign({}, ...chain.map((d) => d.env)) as Record<string, string>;
  const last = chain.at(-1)!;
  return JSON.stringify({
    architecture,
    config: {
      Cmd: ['python3'],
      Env: Object.keys(env)
        .sort()
        .map((k) => `${k}=${env[k]}`),
      Labels: {
        'dev.vgpu.managed': 'true',
        'dev.vgpu.image': last.name,
        'org.opencontainers.image.title': last.name,
        'org.opencontainers.image.description': last.description,
      },
      User: '10001:10001',
      WorkingDir: '/',
    },
    created,
    history: history.map((id) => ({ created, created_by: `vgpu image build ${id}` })),
    os: 'linux',
    rootfs: { diff_ids: layers.map((l) => `sha256:${l.sha256}`), type: 'layers' },
  });
}

/** Brings every pinned input into the cache, eight at a time. Returns SHA-256 → path. */
async function fetchInputs(
  name: string,
  lock: ImageLock,
  architecture: Architecture,
  options: BuildOptions,
  say: (message: string, done?: number, total?: number) => void,
): Promise<Map<string, string>> {
  const { debs, wheels } = lock.architectures[architecture]!;
  const mirror = process.env.VGPU_DEBIAN_MIRROR ?? lock.mirror;
  // A version leaves the mirror when a newer one enters; the archive of all versions keeps it.
  const snapshot = `https://snapshot.debian.org/archive/debian/${lock.created.replace(/[-:]/g, '').replace(/\.\d+/, '')}`;
  const inputs = [
    ...debs.map((d) => ({
      what: `${d.name} ${d.version}`,
      size: d.size,
      sha256: d.sha256,
      urls: [`${mirror}/${d.path}`, `${snapshot}/${d.path}`],
      deb: true,
    })),
    ...wheels.map((w) => ({
      what: `${w.name} ${w.version}`,
      size: w.size,
      sha256: w.sha256,
      urls: [w.url],
      deb: false,
    })),
  ];
  const total = inputs.reduce((sum, i) => sum + i.size, 0);
  let done = 0;
  const paths = new Map<string, string>();
  const pending = [...inputs];
  const fetchSome = async () => {
    for (let input = pending.shift(); input; input = pending.shift()) {
      try {
        const path = await download(input.urls, input.sha256, join(options.cacheDir, 'downloads'), {
          signal: options.signal,
        });
        paths.set(input.sha256, path);
      } catch (error) {
        if (!(error instanceof DriverError) || error.code === 'ABORTED') throw error;
        const hint = input.deb
          ? `${input.what} may have left the mirror. Relock with: vgpu image lock ${name} (or point VGPU_DEBIAN_MIRROR at a mirror that has it).`
          : `Relock with: vgpu image lock ${name}.`;
        throw new DriverError('DOWNLOAD_FAILED', `cannot get ${input.what}: ${error.message}`, hint, {
          status: error.status,
          cause: error,
        });
      }
      done += input.size;
      say(`${name}: ${input.what}`, done, total);
    }
  };
  await Promise.all(Array.from({ length: 8 }, fetchSome));
  return paths;
}
