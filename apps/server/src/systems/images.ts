import { PassThrough } from 'node:stream';
import { VgpuError, vgpuCache } from '@vgpu/core';
import {
  type BuildOptions,
  type BuildProgress,
  DockerDriver,
  DriverError,
  ImageStore,
  type ImageSummary,
} from '@vgpu/drivers';
import type { Engine } from './engine.ts';
import { errorOfDriver } from './start-failure.ts';

const HEARTBEAT_MS = 20_000;

export interface BuildRequest {
  name: string;
  requirements?: string | undefined;
  dockerfile?: string | undefined;
  verify: boolean;
}

const imageView = (image: ImageSummary) => ({
  ...image,
  created: image.created === null ? null : Date.parse(image.created),
});

/** Worker images in the engine: names to references, lists, builds. */
export class Images {
  readonly #engine: Engine;
  readonly #onBuilt: () => void;
  /** Short names that the engine was seen to have; only a hit is trusted. */
  readonly #known = new Set<string>();

  /** @param onBuilt called after a build, as the warm pool may now have an image to start. */
  constructor(engine: Engine, onBuilt: () => void) {
    this.#engine = engine;
    this.#onBuilt = onBuilt;
  }

  /** `sklearn` → `vgpu/sklearn:latest` where the engine has it; any other reference stays as it is. */
  async resolve(reference: string): Promise<string> {
    if (/[/:@]/.test(reference)) return reference;
    if (!this.#known.has(reference)) await this.list().catch(() => []);
    return this.#known.has(reference) ? `vgpu/${reference}:latest` : reference;
  }

  async list() {
    const images = await this.#store().list();
    this.#known.clear();
    for (const image of images) if (image.name) this.#known.add(image.name);
    return images.map(imageView);
  }

  async inspect(reference: string) {
    return imageView(await this.#store().inspect(reference)) as ReturnType<typeof imageView> & {
      details: Record<string, unknown>;
    };
  }

  async remove(reference: string): Promise<void> {
    try {
      await this.#store().remove(reference);
    } catch (error) {
      if (error instanceof DriverError && error.status === 409) {
        throw new VgpuError('CONFLICT', { problem: error.message, advice: error.hint });
      }
      throw error;
    }
    this.#known.clear();
  }

  /** Builds an image; the stream tells each step as one JSON object a line, and ends with `done` or `error`. */
  build(request: BuildRequest): PassThrough {
    const out = new PassThrough();
    const stop = new AbortController();
    out.on('close', () => stop.abort());
    // Loading an image into an engine says nothing for minutes on a slow disk; clients give up on a silent answer.
    const alive = setInterval(() => out.write('\n'), HEARTBEAT_MS);
    out.on('close', () => clearInterval(alive));
    const say = (event: object) => {
      if (!out.destroyed) out.write(`${JSON.stringify(event)}\n`);
    };
    this.#build(request, {
      cacheDir: vgpuCache(process.env, process.getuid?.()),
      signal: stop.signal,
      verify: request.verify,
      onProgress: (progress) => say(stepEvent(progress)),
    })
      .then(
        ({ image, id }) => {
          this.#known.add(request.name);
          this.#onBuilt();
          say({ type: 'done', image, id });
        },
        (error) => {
          const known = errorOfDriver(error);
          const { code, message, hint } =
            known.code === 'IMAGE_BUILD_FAILED'
              ? new VgpuError(known.code, { ...known.details, image: request.name })
              : known;
          const advice = (error instanceof DriverError && error.hint) || hint;
          say({ type: 'error', error: { code, message, hint: advice } });
        },
      )
      .finally(() => {
        clearInterval(alive);
        out.end();
      });
    return out;
  }

  async #build(request: BuildRequest, options: BuildOptions): Promise<{ image: string; id: string }> {
    const store = this.#store();
    if (request.dockerfile !== undefined) {
      return store.buildFromDockerfile(request.name, request.dockerfile, options);
    }
    if (request.requirements !== undefined) {
      return store.buildFromRequirements(request.name, request.requirements, options);
    }
    return store.build(request.name, options);
  }

  #store(): ImageStore {
    const { inner } = this.#engine;
    if (inner instanceof DockerDriver) return new ImageStore(inner.context.client);
    throw new DriverError('ENGINE_UNREACHABLE', this.#engine.problem);
  }
}

function stepEvent({ step, message, done, total }: BuildProgress) {
  const progress =
    done === undefined
      ? null
      : {
          label: message,
          current: done,
          total: total ?? null,
          fraction: total ? done / total : null,
          unit: null,
          rate: null,
          eta: null,
        };
  return progress
    ? { type: 'step', step: `${step}: ${message}`, progress }
    : { type: 'output', text: `${step}: ${message}` };
}
