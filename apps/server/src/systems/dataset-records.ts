import type { Dataset } from '@vgpu/api';
import { newId, VgpuError } from '@vgpu/core';
import type { DatasetTable, DatasetVersionTable, Store } from '@vgpu/store';
import { findDataset, resolveDataset } from './dataset-ref.ts';
import { decodeCursor, encodeCursor } from './page-cursor.ts';

type VersionView = Dataset['versions'][number];

const versionView = (row: DatasetVersionTable): VersionView => ({
  version: row.version,
  number: row.number,
  createdAt: row.created_at,
  rows: row.rows,
  rejected: row.rejected,
  columns: row.columns,
  bytes: row.bytes,
  file: row.file,
  target: row.target,
});

/** Datasets and their versions as the store has them; the files are elsewhere. */
export class DatasetRecords {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async list(project: string, query: { limit: number; cursor?: string | undefined }) {
    let rows = this.#store.read
      .selectFrom('datasets')
      .selectAll()
      .where('project', '=', project)
      .orderBy('name')
      .limit(query.limit + 1);
    if (query.cursor) rows = rows.where('name', '>', String(decodeCursor(query.cursor).value));
    const found = await rows.execute();
    const page = found.slice(0, query.limit);
    const { total } = await this.#store.read
      .selectFrom('datasets')
      .select((e) => e.fn.countAll<number>().as('total'))
      .where('project', '=', project)
      .executeTakeFirstOrThrow();
    const last = page.at(-1);
    return {
      items: await this.#views(page),
      next: found.length > query.limit && last ? encodeCursor({ value: last.name, id: last.id }) : null,
      total: Number(total),
    };
  }

  async get(project: string, ref: string): Promise<Dataset> {
    const { dataset } = await resolveDataset(this.#store, project, ref);
    return (await this.#views([dataset]))[0]!;
  }

  /** Adds a version to the named dataset; one that is there already is not added again. */
  async add(
    project: string,
    name: string,
    version: Omit<DatasetVersionTable, 'project' | 'dataset' | 'number' | 'created_at'>,
  ): Promise<{ dataset: string; existed: boolean }> {
    const now = Date.now();
    return this.#store.write(async (trx) => {
      await trx
        .insertInto('datasets')
        .values({ id: newId('dataset', now), project, name, created_at: now })
        .onConflict((c) => c.columns(['project', 'name']).doNothing())
        .execute();
      const dataset = await trx
        .selectFrom('datasets')
        .select('id')
        .where('project', '=', project)
        .where('name', '=', name)
        .executeTakeFirstOrThrow();
      const versions = await trx
        .selectFrom('dataset_versions')
        .select(['number', 'version', 'target'])
        .where('dataset', '=', dataset.id)
        .orderBy('number', 'desc')
        .execute();
      if (versions[0]?.version === version.version && versions[0].target === version.target) {
        return { dataset: dataset.id, existed: true };
      }
      const number = (versions[0]?.number ?? 0) + 1;
      await trx
        .insertInto('dataset_versions')
        .values({ ...version, project, dataset: dataset.id, number, created_at: now })
        .execute();
      return { dataset: dataset.id, existed: false };
    });
  }

  /**
   * Removes a dataset, or one version of it where the reference names one.
   * @returns versions that nothing names any more: their files can go.
   * @throws VgpuError `NOT_FOUND`; `CONFLICT` while tasks need it.
   */
  async remove(project: string, ref: string): Promise<string[]> {
    const bare = await findDataset(this.#store, project, ref);
    const target = bare
      ? { dataset: bare, version: undefined }
      : await resolveDataset(this.#store, project, ref);
    return this.#store.write(async (trx) => {
      let doomed = trx.deleteFrom('dataset_versions').where('dataset', '=', target.dataset.id);
      if (target.version) doomed = doomed.where('number', '=', target.version.number);
      const versions = (await doomed.returning('version').execute()).map((row) => row.version);
      const left = await trx
        .selectFrom('dataset_versions')
        .select('number')
        .where('dataset', '=', target.dataset.id)
        .executeTakeFirst();
      if (!left) await trx.deleteFrom('datasets').where('id', '=', target.dataset.id).execute();
      const used = await trx
        .selectFrom('dataset_versions')
        .select('version')
        .where('version', 'in', versions.length > 0 ? versions : ['-'])
        .execute();
      const needed = await trx
        .selectFrom('tasks')
        .select('dataset_version')
        .where('dataset_version', 'in', versions.length > 0 ? versions : ['-'])
        .where('state', 'not in', ['COMPLETED', 'FAILED', 'CANCELLED'])
        .execute();
      if (needed.length > 0) {
        const advice = 'Stop those tasks or wait for them.';
        throw new VgpuError('CONFLICT', { problem: `${needed.length} tasks still need the dataset`, advice });
      }
      return versions.filter((version) => !used.some((row) => row.version === version));
    });
  }

  async #views(rows: readonly DatasetTable[]): Promise<Dataset[]> {
    if (rows.length === 0) return [];
    const versions = await this.#store.read
      .selectFrom('dataset_versions')
      .selectAll()
      .where(
        'dataset',
        'in',
        rows.map((row) => row.id),
      )
      .orderBy('number', 'desc')
      .execute();
    return rows.map((row) => {
      const own = versions.filter((version) => version.dataset === row.id).map(versionView);
      return {
        id: row.id,
        name: row.name,
        project: row.project,
        createdAt: row.created_at,
        latest: own[0] ?? null,
        versions: own,
      };
    });
  }
}
