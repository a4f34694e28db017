import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import type { CleanOptions } from '@vgpu/core';
import type { CheckOptions } from './check-file.ts';
import { cleanFile } from './clean-file.ts';
import { validateClean } from './clean-options.ts';
import { cleanerVersion } from './cleaner-version.ts';
import type { OnProgress, Report, VersionResult } from './result.ts';
import { closeUnfinished, openUnfinished } from './unfinished.ts';
import { writeRejected } from './write-rejected.ts';
import { seal, syncFolder, versionFiles, writeData } from './write-version.ts';

export interface ImportOptions extends Omit<CheckOptions, 'temporary'> {
  /** Folder that holds the versions; the new one becomes `<outDir>/<hash>/`. */
  outDir: string;
  /** Name of the dataset, for messages; default the file's name without its extension. */
  name?: string | undefined;
  /** Keep a copy of the original in the version's folder; default true. */
  keepOriginal?: boolean | undefined;
}

/** What `version.json` in a version's folder says. */
interface VersionFile {
  hash: string;
  target: string | null;
  clean: CleanOptions;
  cleaner: string;
  source: { bytes: number; sha256: string };
}

/** The same object with its keys in order, so that equal options give equal text. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, one]) => [key, ordered(one)]),
  );
}

/** A version's name: SHA-256 over the original's bytes (as their own hash), the options and the cleaner. */
export function versionHash(sha256: string, clean: CleanOptions, target: string | undefined): string {
  const text = JSON.stringify(ordered({ cleaner: cleanerVersion, sha256, clean, target: target ?? null }));
  return createHash('sha256').update(text).digest('hex');
}

/** Reads a version back from its folder. */
export async function readVersion(dir: string, name: string, existed: boolean): Promise<VersionResult> {
  const version = JSON.parse(await readFile(join(dir, versionFiles.version), 'utf8')) as VersionFile;
  const report = JSON.parse(await readFile(join(dir, versionFiles.report), 'utf8')) as Report;
  const original = await stat(join(dir, versionFiles.original)).then(
    () => join(dir, versionFiles.original),
    () => null,
  );
  const at = (file: 'csv' | 'parquet' | 'report' | 'rejected' | 'cells') => join(dir, versionFiles[file]);
  return {
    hash: version.hash,
    dir,
    name,
    target: version.target,
    rows: report.rows,
    rejected: report.rejected,
    columns: report.columns,
    files: {
      csv: at('csv'),
      parquet: at('parquet'),
      report: at('report'),
      rejected: at('rejected'),
      cells: at('cells'),
      original,
    },
    bytes: version.source.bytes,
    report,
    existed,
  };
}

const isThere = (dir: string): Promise<boolean> =>
  stat(join(dir, versionFiles.version)).then(
    () => true,
    () => false,
  );

/**
 * Cleans a file into an immutable version under `outDir`. The same bytes, options and cleaner give the
 * same version, which is then not made twice. Nothing is visible before it is whole and on disk: the
 * folder appears by a rename.
 * @throws VgpuError `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `BAD_DATASET`, `BAD_SPEC`, `UNKNOWN_KEY`, `DISK_FULL`.
 */
export async function importFile(
  path: string,
  options: ImportOptions,
  onProgress?: OnProgress,
): Promise<VersionResult> {
  const clean = validateClean(options.clean);
  const name = options.name ?? basename(path, extname(path));
  const outDir = resolve(options.outDir);
  await mkdir(outDir, { recursive: true });
  const work = await openUnfinished(outDir);
  try {
    const building = join(work, 'version');
    await mkdir(building);
    const keep = options.keepOriginal ?? true;
    let hash = '';
    const result = await cleanFile(path, {
      clean,
      name: options.file,
      target: options.target,
      work,
      copyTo: keep ? join(building, versionFiles.original) : null,
      signal: options.signal,
      onProgress,
      memoryMiB: options.memoryMiB,
      held: options.heldValues,
      threadsFrom: options.threadsFrom,
      after: true,
      onMeasured: (done) => onProgress?.({ stage: 'measure', done }),
      known: async (sha256) => {
        hash = versionHash(sha256, clean, options.target);
        return isThere(join(outDir, hash));
      },
    });
    const final = join(outDir, hash);
    if (result === null) return await readVersion(final, name, true);
    {
      const { opened, cleaned } = result;
      await using engine = result.engine;
      onProgress?.({ stage: 'write', done: 0 });
      await writeData(engine, cleaned, building);
      onProgress?.({ stage: 'write', done: 0.8 });
      const rejections = await writeRejected(
        opened,
        cleaned,
        join(building, versionFiles.rejected),
        options.signal,
      );
      const report: Report = { ...(await cleaned.complete()), rejections };
      const version: VersionFile = {
        hash,
        target: options.target ?? null,
        clean: ordered(clean) as CleanOptions,
        cleaner: cleanerVersion,
        source: { bytes: opened.source.bytes, sha256: (await opened.facts).sha256 },
      };
      await writeFile(join(building, versionFiles.report), `${JSON.stringify(report, null, 1)}\n`, {
        flag: 'wx',
      });
      await writeFile(join(building, versionFiles.version), `${JSON.stringify(version, null, 1)}\n`, {
        flag: 'wx',
      });
    }
    const { original, ...written } = versionFiles;
    await seal(building, keep ? [...Object.values(written), original] : Object.values(written));
    options.signal?.throwIfAborted();
    await rename(building, final).catch(async (error: NodeJS.ErrnoException) => {
      // Another import of the same version came first; its folder holds the same.
      if (!(await isThere(final))) throw error;
    });
    await syncFolder(outDir);
    onProgress?.({ stage: 'write', done: 1 });
    return await readVersion(final, name, false);
  } finally {
    await closeUnfinished(work);
  }
}
