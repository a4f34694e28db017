import { createReadStream } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { CleaningReport, Dataset } from '@vgpu/api';
import { VgpuError } from '@vgpu/core';
import { type Report, sweepUnfinished, validateClean } from '@vgpu/ingest';
import type { Store } from '@vgpu/store';
import { IngestProcess } from '../ingest/ingest-process.ts';
import { cleaningView } from '../views/cleaning-view.ts';
import { DatasetRecords } from './dataset-records.ts';
import { resolveDataset } from './dataset-ref.ts';
import { withUpload } from './upload.ts';

export interface ImportRequest {
  name?: string | undefined;
  /** Name of the file as the user had it. */
  file: string;
  target?: string | undefined;
  /** JSON of the cleaning options. */
  clean?: string | undefined;
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/;

/** A name for a dataset from its file's: without folder and extension, with unusable characters replaced. */
export function nameFromFile(file: string): string {
  const base = file
    .split(/[/\\]/)
    .pop()!
    .replace(/\.(csv|tsv|txt|data|dat)(\.gz)?$/i, '');
  return (
    base
      .replace(/[^a-zA-Z0-9._-]+/g, '-')
      .replace(/^[^a-zA-Z0-9]+/, '')
      .slice(0, 63) || 'data'
  );
}

/** Imported data: immutable versions under `datasets/<hash>`, named and numbered per project in the store. */
export class Datasets {
  readonly #store: Store;
  readonly #records: DatasetRecords;
  readonly #dir: string;
  readonly #temporary: string;
  readonly #process: IngestProcess;

  constructor(store: Store, dirs: { datasets: string; temporary: string }) {
    this.#store = store;
    this.#records = new DatasetRecords(store);
    this.#dir = dirs.datasets;
    this.#temporary = dirs.temporary;
    this.#process = new IngestProcess(dirs.temporary);
  }

  /** Removes what imports that were killed left behind. */
  async sweep(): Promise<void> {
    await sweepUnfinished(this.#dir);
  }

  close(): void {
    this.#process.close();
  }

  async check(request: ImportRequest, upload: Readable): Promise<CleaningReport> {
    const clean = this.#clean(request.clean);
    return withUpload(upload, this.#temporary, async (path) => {
      const options = { file: request.file, target: request.target, clean, temporary: this.#temporary };
      const report = await this.#process.run({ kind: 'check', path, options }, request.file);
      return cleaningView(report, request.file);
    });
  }

  async add(project: string, request: ImportRequest, upload: Readable) {
    const name = request.name ?? nameFromFile(request.file);
    if (!NAME.test(name)) throw new VgpuError('BAD_NAME', { what: 'dataset', name });
    const clean = this.#clean(request.clean);
    return withUpload(upload, this.#temporary, async (path) => {
      const options = { file: request.file, outDir: this.#dir, name, target: request.target, clean };
      const result = await this.#process.run({ kind: 'import', path, options }, request.file);
      const kept = await this.#records.add(project, name, {
        version: result.hash,
        rows: result.rows,
        rejected: result.rejected,
        columns: result.columns.length,
        bytes: result.bytes,
        file: request.file,
        target: result.target,
      });
      return {
        dataset: kept.dataset,
        name,
        version: result.hash,
        existed: kept.existed,
        report: cleaningView(result.report, request.file),
      };
    });
  }

  get(project: string, ref: string): Promise<Dataset> {
    return this.#records.get(project, ref);
  }

  async report(project: string, ref: string): Promise<CleaningReport> {
    const { version } = await resolveDataset(this.#store, project, ref);
    const report = await this.#report(version.version);
    const path = this.folder(version.version);
    const columns = await this.#process.run({ kind: 'stats', path }, version.file);
    return cleaningView(report, version.file, columns);
  }

  async preview(project: string, ref: string, page: { limit: number; offset: number }) {
    const { version } = await resolveDataset(this.#store, project, ref);
    const path = this.folder(version.version);
    const preview = await this.#process.run({ kind: 'preview', path, options: page }, version.file);
    return {
      columns: preview.columns.map((column) => column.name),
      rows: preview.rows.map((row) => row.map((cell) => (cell === null ? null : String(cell)))),
      total: preview.total,
    };
  }

  /** A file of a version, for download. */
  async open(project: string, ref: string, format: 'csv' | 'parquet' | 'original' | 'rejected') {
    const { dataset, version } = await resolveDataset(this.#store, project, ref);
    const file = await this.#file(version.version, format);
    const extension = file.split('.').slice(1).join('.') || 'csv';
    return {
      name:
        format === 'original'
          ? version.file
          : `${dataset.name}${format === 'rejected' ? '-rejected' : ''}.${extension}`,
      stream: createReadStream(join(this.folder(version.version), file)),
    };
  }

  list(project: string, query: { limit: number; cursor?: string | undefined }) {
    return this.#records.list(project, query);
  }

  /** Removes a dataset, or one version of it where the reference names one. @throws VgpuError `CONFLICT`. */
  async remove(project: string, ref: string): Promise<void> {
    const orphans = await this.#records.remove(project, ref);
    for (const version of orphans) await rm(this.folder(version), { recursive: true, force: true });
  }

  folder(version: string): string {
    if (!/^[0-9a-zA-Z]{8,128}$/.test(version))
      throw new VgpuError('NOT_FOUND', { what: 'version', id: version, list: 'data ls' });
    return join(this.#dir, version);
  }

  /** The clean CSV of a version: what a worker gets. */
  async cleanFile(version: string): Promise<string> {
    return join(this.folder(version), await this.#file(version, 'csv'));
  }

  #clean(text: string | undefined) {
    if (text === undefined) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new VgpuError('BAD_SPEC', { path: 'clean', problem: 'it is no JSON' });
    }
    return validateClean(value);
  }

  async #file(version: string, format: 'csv' | 'parquet' | 'original' | 'rejected'): Promise<string> {
    const names = await readdir(this.folder(version)).catch(() => [] as string[]);
    const wanted = { csv: 'data.csv', parquet: 'data.parquet', original: 'original', rejected: 'rejected' }[
      format
    ];
    const found = names.find((name) => name === wanted) ?? names.find((name) => name.startsWith(wanted));
    if (!found)
      throw new VgpuError('NOT_FOUND', { what: `${format} file of version`, id: version, list: 'data ls' });
    return found;
  }

  async #report(version: string): Promise<Report> {
    return JSON.parse(await readFile(join(this.folder(version), 'report.json'), 'utf8')) as Report;
  }
}
