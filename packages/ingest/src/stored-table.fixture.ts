import { duckType } from './column-sql.ts';
import { columnPlaces, type StoreDescription, type StoredColumn } from './column-store.ts';
import type { Engine } from './engine.ts';
import type { ColumnType } from './result.ts';

/** A column for a test: numbers, or the texts of other values; null where one is missing. */
export interface GivenColumn {
  type: ColumnType;
  cells: readonly (number | string | null)[];
}

/** A column store in memory with the given cells, in blocks of so many rows. */
export function storeOf(columns: readonly GivenColumn[], perBlock: number): StoreDescription {
  const rows = columns[0]!.cells.length;
  const stored = columns.map(({ type, cells }): StoredColumn => {
    if (type === 'integer' || type === 'number') return { kind: 'numbers' };
    const words = [null, ...new Set(cells.filter((cell) => cell !== null))] as (string | null)[];
    const counts = words.map((word) => cells.filter((cell) => cell === word).length);
    return { kind: 'words', words, counts };
  });
  const blocks: StoreDescription['blocks'] = [];
  for (let first = 0; first < rows; first += perBlock) {
    const size = Math.min(perBlock, rows - first);
    const places = columnPlaces(stored, perBlock);
    const buffer = new SharedArrayBuffer(places.at(-1)!);
    columns.forEach(({ cells }, i) => {
      const piece = cells.slice(first, first + size);
      const own = stored[i]!;
      if (own.kind === 'numbers')
        new Float64Array(buffer, places[i]!, size).set(
          piece.map((cell) => (cell as number | null) ?? Number.NaN),
        );
      else
        new Uint16Array(buffer, places[i]!, size).set(
          piece.map((cell) => own.words.indexOf(cell as string | null)),
        );
    });
    blocks.push({ first, rows: size, capacity: perBlock, record: first, records: null, buffer, at: 0 });
  }
  return { columns: stored, blocks, rows, path: null };
}

/** The same cells as the engine's table `typed`: v0, v1, … */
export async function tableOf(engine: Engine, columns: readonly GivenColumn[]): Promise<void> {
  const list = columns.map(({ type }, i) => `v${i} ${duckType(type)}`).join(', ');
  await engine.run(`CREATE OR REPLACE TABLE typed (${list})`);
  const text = (cell: number | string | null): string =>
    cell === null ? 'NULL' : `'${String(cell).replaceAll("'", "''")}'`;
  const rows = columns[0]!.cells.map(
    (_, row) => `(${columns.map(({ cells }) => text(cells[row]!)).join(', ')})`,
  );
  for (let at = 0; at < rows.length; at += 2000)
    await engine.run(`INSERT INTO typed VALUES ${rows.slice(at, at + 2000).join(', ')}`);
}
