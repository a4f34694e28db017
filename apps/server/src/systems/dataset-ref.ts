import { isId, VgpuError } from '@vgpu/core';
import type { DatasetTable, DatasetVersionTable, Store } from '@vgpu/store';

export interface ResolvedDataset {
  dataset: DatasetTable;
  version: DatasetVersionTable;
  /** Whether the reference named one version, rather than the latest. */
  exact: boolean;
}

const missing = (id: string) => new VgpuError('NOT_FOUND', { what: 'dataset', id, list: 'data ls' });

/** Finds a dataset by id or name. */
export async function findDataset(
  store: Store,
  project: string,
  ref: string,
): Promise<DatasetTable | undefined> {
  return store.read
    .selectFrom('datasets')
    .selectAll()
    .where('project', '=', project)
    .where(isId('dataset', ref) ? 'id' : 'name', '=', ref)
    .executeTakeFirst();
}

/**
 * Resolves `name`, `id`, `name@3` or `name@<start of the hash>`.
 * @throws VgpuError `NOT_FOUND`, or `AMBIGUOUS` where the start of a hash fits several versions.
 */
export async function resolveDataset(store: Store, project: string, ref: string): Promise<ResolvedDataset> {
  const at = ref.lastIndexOf('@');
  const [name, wanted] = at > 0 ? [ref.slice(0, at), ref.slice(at + 1)] : [ref, undefined];
  const dataset = await findDataset(store, project, name);
  if (!dataset) throw missing(ref);
  let query = store.read
    .selectFrom('dataset_versions')
    .selectAll()
    .where('dataset', '=', dataset.id)
    .orderBy('number', 'desc');
  if (wanted !== undefined) {
    query = /^\d{1,7}$/.test(wanted)
      ? query.where((e) => e.or([e('number', '=', Number(wanted)), e('version', 'like', `${wanted}%`)]))
      : query.where('version', 'like', `${wanted.replace(/[^0-9a-zA-Z]/g, '')}%`);
  }
  const versions = await query.execute();
  const version = versions.find((v) => String(v.number) === wanted) ?? versions[0];
  if (!version) throw missing(ref);
  const distinct = new Set(versions.map((v) => v.version));
  if (wanted !== undefined && String(version.number) !== wanted && distinct.size > 1) {
    throw new VgpuError('AMBIGUOUS', { id: ref, count: distinct.size, what: 'version' });
  }
  return { dataset, version, exact: wanted !== undefined };
}
