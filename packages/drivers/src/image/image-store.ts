import type { EngineClient } from '../docker/client.ts';
import { jsonLines } from '../docker/json-lines.ts';
import { DriverError } from '../errors.ts';
import { LABEL } from '../types.ts';
import { imageArchive } from './archive.ts';
import { type BuildOptions, type BuiltImage, buildImage } from './build.ts';
import { buildDockerfile } from './dockerfile.ts';
import { buildRequirements } from './requirements-image.ts';

/** One image of the engine, as the CLI and the API show it. */
export interface ImageSummary {
  id: string;
  tags: string[];
  /** Short name that a job spec may use: `sklearn` for `vgpu/sklearn:latest`. */
  name: string | null;
  /** ISO 8601. */
  created: string | null;
  bytes: number;
  /** Built by vgpu. */
  managed: boolean;
  /** Containers made from it. */
  inUse: number;
}

interface EngineImage {
  Id: string;
  RepoTags: string[] | null;
  /** `registry/name@sha256:…` of what was pulled or pushed. */
  RepoDigests: string[] | null;
  Created: number;
  Size: number;
  Labels: Record<string, string> | null;
}

/** Images in the engine: built, loaded, listed, removed. Asked fresh each time. */
export class ImageStore {
  readonly #client: EngineClient;

  constructor(client: EngineClient) {
    this.#client = client;
  }

  async list(): Promise<ImageSummary[]> {
    const [images, containers] = await Promise.all([
      this.#client.json<EngineImage[]>('GET', '/images/json'),
      this.#client.json<{ ImageID: string }[]>('GET', '/containers/json', { query: { all: true } }),
    ]);
    return images.map((i) => summary(i, containers.filter((c) => c.ImageID === i.Id).length));
  }

  /** By short name, tag or id. Throws IMAGE_NOT_FOUND. `details` is the engine's own description. */
  async inspect(reference: string): Promise<ImageSummary & { details: Record<string, unknown> }> {
    const found = await this.find(reference);
    if (!found) throw notFound(reference);
    const details = await this.#client.json<Record<string, unknown>>('GET', `/images/${found.id}/json`);
    return { ...found, details };
  }

  /** Undefined where the engine has no such image. */
  async find(reference: string): Promise<ImageSummary | undefined> {
    const images = await this.list();
    if (reference.includes('@')) {
      const wanted = digestOnly(reference);
      const known = await this.#client.json<EngineImage[]>('GET', '/images/json', {
        query: { digests: true },
      });
      const found = known.find(({ RepoDigests }) =>
        RepoDigests?.some((one) => one === wanted || one === `docker.io/${wanted}`),
      );
      return found && images.find((i) => i.id.endsWith(found.Id));
    }
    const withTag = /:[^/]+$/.test(reference) ? reference : `${reference}:latest`;
    return (
      images.find((i) => i.name === reference) ??
      images.find(
        (i) =>
          i.tags.includes(reference) || i.tags.includes(withTag) || i.tags.includes(`docker.io/${withTag}`),
      ) ??
      images.find(
        (i) =>
          i.id === reference ||
          (/^(sha256:)?[0-9a-f]{6,64}$/.test(reference) &&
            i.id.replace(/^sha256:/, '').startsWith(reference.replace(/^sha256:/, ''))),
      )
    );
  }

  /** Throws IMAGE_NOT_FOUND, or ENGINE_FAILED (409) while something uses it. */
  async remove(reference: string): Promise<void> {
    const found = await this.find(reference);
    if (!found) throw notFound(reference);
    if (found.inUse > 0)
      throw new DriverError(
        'ENGINE_FAILED',
        `${reference} is used by ${found.inUse} container(s)`,
        'End them first: vgpu ps.',
        { status: 409 },
      );
    // By tag where it has some: removing by id fails for an image with several.
    for (const name of found.tags.length > 0 ? found.tags : [found.id]) {
      await this.#client.status('DELETE', `/images/${encodeURIComponent(name)}`, { accept: [404] });
    }
  }

  /** Builds a standard image and loads it, unless the engine already has the very same one. */
  async build(name: string, options: BuildOptions): Promise<{ image: string; id: string }> {
    const built = await buildImage(name, options);
    return this.load(built, options);
  }

  /** The standard image and a requirements file on top of it. */
  async buildFromRequirements(
    name: string,
    requirements: string,
    options: BuildOptions & { base?: string },
  ): Promise<{ image: string; id: string }> {
    const base = await buildImage(options.base ?? 'sklearn', { ...options, verify: false });
    await this.load(base, options);
    const built = await buildRequirements(this.#client, name, base, requirements, options);
    return this.load(built, options);
  }

  /** Any Dockerfile, built by the engine. `contextDir` holds what it copies. */
  async buildFromDockerfile(
    name: string,
    dockerfile: string,
    options: BuildOptions & { contextDir?: string },
  ): Promise<{ image: string; id: string }> {
    const image = `vgpu/${name}:latest`;
    await buildDockerfile(this.#client, image, dockerfile, options);
    const found = await this.find(image);
    if (!found) throw new DriverError('BUILD_FAILED', `the engine built no ${image}`);
    return { image, id: found.id };
  }

  /** Fetches an image by its OCI reference from its registry. */
  async pull(
    reference: string,
    options: { onProgress?: BuildOptions['onProgress']; signal?: AbortSignal } = {},
  ): Promise<ImageSummary> {
    const query = pullQuery(reference);
    const refused = (message: string) =>
      new DriverError(
        'DOWNLOAD_FAILED',
        `cannot pull ${reference}: ${message}`,
        'Is the registry reachable from the engine, and the reference right?',
      );
    const stream = await this.#client
      .stream('POST', '/images/create', { query, signal: options.signal, timeoutMs: 120_000 })
      .catch((error) => {
        throw error instanceof DriverError && error.status ? refused(error.message) : error;
      });
    for await (const line of jsonLines<{ status?: string; id?: string; error?: string }>(stream)) {
      if (line.error) throw refused(line.error);
      if (line.status)
        options.onProgress?.({ step: 'download', message: `${line.id ? `${line.id}: ` : ''}${line.status}` });
    }
    const found = await this.find(reference);
    if (!found) throw notFound(reference);
    return found;
  }

  /** Gives a built image to the engine; a moment's work when it is already there. */
  async load(
    built: BuiltImage,
    options: Pick<BuildOptions, 'onProgress' | 'signal'> = {},
  ): Promise<{ image: string; id: string }> {
    const present = await this.#client.call('GET', `/images/${built.id}/json`, { accept: [404] });
    const description = (await present.body.json()) as { RepoTags?: string[] };
    if (present.statusCode === 200) {
      if (!description.RepoTags?.includes(built.tag)) {
        const [repo, tag] = built.tag.split(':');
        await this.#client.status('POST', `/images/${built.id}/tag`, { query: { repo, tag } });
      }
      return { image: built.tag, id: built.id };
    }
    options.onProgress?.({ step: 'load', message: `loading ${built.tag} into the engine` });
    const stream = await this.#client.stream('POST', '/images/load', {
      query: { quiet: true },
      stream: imageArchive(built),
      signal: options.signal,
      timeoutMs: 0,
    });
    for await (const line of jsonLines<{ error?: string; stream?: string }>(stream)) {
      if (line.error) throw new DriverError('BUILD_FAILED', `the engine refused the image: ${line.error}`);
    }
    const found = await this.find(built.tag);
    return { image: built.tag, id: found?.id ?? built.id };
  }
}

/** How an engine is asked for a reference: by digest, by tag, or the latest. */
export function pullQuery(reference: string): { fromImage: string; tag?: string } {
  if (reference.includes('@')) return { fromImage: digestOnly(reference) };
  // A colon before the last slash belongs to the registry's port.
  const [, name = reference, tag = 'latest'] = /^(.+?)(?::([^/:]+))?$/.exec(reference) ?? [];
  return { fromImage: name, tag };
}

/** `name:tag@digest` → `name@digest`: the digest decides, and engines list it without a tag. */
const digestOnly = (reference: string): string => reference.replace(/:[^/:@]+(?=@)/, '');

function summary(image: EngineImage, inUse: number): ImageSummary {
  const tags = (image.RepoTags ?? []).filter((t) => t !== '<none>:<none>');
  const own = tags
    .map((t) => /^(?:localhost\/|docker\.io\/)?vgpu\/([^:/]+):latest$/.exec(t)?.[1])
    .find(Boolean);
  return {
    id: image.Id.startsWith('sha256:') ? image.Id : `sha256:${image.Id}`,
    tags,
    name: own ?? null,
    created: image.Created > 0 ? new Date(image.Created * 1000).toISOString() : null,
    bytes: image.Size,
    managed: image.Labels?.[LABEL.managed] === 'true',
    inUse,
  };
}

function notFound(reference: string): DriverError {
  return new DriverError(
    'IMAGE_NOT_FOUND',
    `no image "${reference}"`,
    'vgpu image ls lists them; vgpu image build makes one.',
    { status: 404 },
  );
}
