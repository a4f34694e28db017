import { type FileHandle, open } from 'node:fs/promises';
import { VgpuError } from '@vgpu/core';
import type { CleanedTable } from './clean-table.ts';
import type { StoreDescription } from './column-store.ts';
import type { EncodedRows } from './encode-blocks.ts';
import { parquetFooter, parquetMark, type RowGroup } from './encode-footer.ts';
import type { TableWorkers } from './table-workers.ts';
import type { Span } from './tally-blocks.ts';
import { writeWhole } from './whole.ts';
import { quotedText, type WritePlan } from './written-column.ts';
import { writtenColumns } from './written-columns.ts';

/** Rows of a Parquet row group, about; as DuckDB has them. */
const groupRows = 122_880;
/** Cells of one at most: they are in memory at once, in several forms. */
const groupCells = 2_000_000;
/** Bytes after which a file is made durable in the background, so that its end has little left to wait for. */
const syncedBytes = 64 << 20;

/** Blocks that are written together; they depend on the table alone. */
export function spansOf({ blocks }: StoreDescription, width: number): Span[] {
  const most = Math.min(groupRows, groupCells / Math.max(1, width));
  const spans: Span[] = [];
  let rows = 0;
  blocks.forEach((block, i) => {
    const last = spans.at(-1);
    if (last && rows + block.rows <= most) {
      last.to = i + 1;
      rows += block.rows;
    } else {
      spans.push({ from: i, to: i + 1 });
      rows = block.rows;
    }
  });
  return spans;
}

/** A file that grows piece by piece and gets durable meanwhile. */
class GrowingFile {
  at = 0;
  readonly #file: FileHandle;
  #synced = 0;
  #syncing: Promise<void> | null = null;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async append(pieces: readonly Uint8Array[]): Promise<void> {
    for (const piece of pieces) {
      await writeWhole(this.#file, piece, this.at);
      this.at += piece.length;
    }
    if (this.at - this.#synced < syncedBytes || this.#syncing) return;
    this.#synced = this.at;
    this.#syncing = this.#file.datasync().finally(() => {
      this.#syncing = null;
    });
    // The last one tells of a failure.
    this.#syncing.catch(() => {});
  }

  async end(): Promise<void> {
    await this.#syncing?.catch(() => {});
    await this.#file.sync();
  }

  async close(): Promise<void> {
    await this.#syncing?.catch(() => {});
    await this.#file.close();
  }
}

/**
 * Writes the rows of a column store, treated, as CSV and Parquet, both durable when it is done; the outcomes'
 * tallies get their values on the way. The threads encode, and both files are written here in the order of the rows.
 * @param workers which share the store under the name `store`.
 * @param none what a missing value is in the CSV.
 */
export async function writeStore(
  description: StoreDescription,
  workers: TableWorkers,
  cleaned: Pick<CleanedTable, 'output' | 'outcomes'>,
  paths: { csv: string; parquet: string },
  none: string,
): Promise<void> {
  const columns = writtenColumns(cleaned);
  const tallies = columns.map(({ column, tally }) => (tally ? cleaned.outcomes.tallies.get(column)! : null));
  workers.share('write', { columns, none } satisfies WritePlan);
  const spans = spansOf(description, columns.length);
  const groups: RowGroup[] = [];
  const spare: ArrayBuffer[] = [];
  const encoding: Promise<EncodedRows>[] = [];
  let next = 0;
  // One waits for each thread, so that none waits for the files.
  const start = (): void => {
    while (next < spans.length && encoding.length < workers.size + 1) {
      const own = spare.splice(0, Math.ceil(spare.length / 2));
      const encoded = workers.run('encode', { ...spans[next++]!, spare: own }, own);
      encoded.catch(() => {});
      encoding.push(encoded);
    }
  };
  const files = [await open(paths.csv, 'wx')];
  try {
    files.push(await open(paths.parquet, 'wx'));
    const [csv, parquet] = files.map((file) => new GrowingFile(file)) as [GrowingFile, GrowingFile];
    try {
      await csv.append([Buffer.from(`${columns.map(({ name }) => quotedText(name)).join(',')}\n`)]);
      await parquet.append([parquetMark]);
      for (start(); encoding.length > 0; ) {
        const rows = await encoding[0]!;
        encoding.shift();
        start();
        groups.push({ at: parquet.at, rows: rows.rows, chunks: rows.chunks });
        rows.tallies.forEach((state, i) => {
          if (state) tallies[i]!.merge(state);
        });
        await Promise.all([csv.append(rows.csv), parquet.append(rows.parquet)]);
        spare.push(...[...rows.csv, ...rows.parquet].map(({ buffer }) => buffer), ...rows.spare);
      }
      await parquet.append([parquetFooter(columns, groups)]);
      await Promise.all([csv.end(), parquet.end()]);
    } finally {
      await Promise.allSettled(encoding);
    }
    await Promise.all([csv.close(), parquet.close()]);
    files.length = 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
      throw new VgpuError('DISK_FULL', { path: 'the data folder' });
    throw error;
  } finally {
    await Promise.all(files.map((file) => file.close()));
  }
}
