import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { decimate, type SeriesPoint } from '@vgpu/telemetry';

const pack = promisify(gzip);
const unpack = promisify(gunzip);

export type SeriesByName = Record<string, SeriesPoint[]>;

/** Metric series on disk: one small compressed file a task. */
export class SeriesFiles {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  async save(task: string, series: SeriesByName): Promise<void> {
    if (Object.keys(series).length === 0) return;
    const file = this.#file(task);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(`${file}.next`, await pack(JSON.stringify(series)));
    await rename(`${file}.next`, file);
  }

  async read(task: string): Promise<SeriesByName> {
    try {
      return JSON.parse((await unpack(await readFile(this.#file(task)))).toString()) as SeriesByName;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
      throw error;
    }
  }

  /** The named series (all where none is named), each of at most `max` points. */
  pick(all: SeriesByName, names: readonly string[] | undefined, max: number) {
    return Object.entries(all)
      .filter(([name]) => !names || names.includes(name))
      .map(([name, points]) => ({ name, points: decimate(points, max), total: points.length }));
  }

  async remove(task: string): Promise<void> {
    await rm(this.#file(task), { force: true });
  }

  #file(task: string): string {
    return join(this.#dir, 'series', `${task}.json.gz`);
  }
}
