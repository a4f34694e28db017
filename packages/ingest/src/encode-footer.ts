import type { ChunkFacts } from './encode-page.ts';
import { type ThriftStruct, type ThriftValue, thriftBytes } from './encode-thrift.ts';
import type { WrittenColumn } from './written-column.ts';

/** First and last bytes of a Parquet file. */
export const parquetMark = Buffer.from('PAR1');

/** One row group: where it begins in the file, and what its chunks are, one behind the other. */
export interface RowGroup {
  at: number;
  rows: number;
  chunks: readonly ChunkFacts[];
}

const physical = { boolean: 0, int32: 1, int64: 2, double: 5, bytes: 6 } as const;
const none: ThriftValue = { struct: {} };

/** Physical type, the older and the newer name of what it means: as DuckDB writes the same columns. */
const types: Record<WrittenColumn['type'], { type: number; converted?: number; logical?: ThriftStruct }> = {
  boolean: { type: physical.boolean },
  integer: { type: physical.int64, converted: 18 },
  indicator: { type: physical.int32, converted: 17 },
  number: { type: physical.double },
  text: { type: physical.bytes, converted: 0 },
  date: { type: physical.int32, converted: 6 },
  datetime: {
    type: physical.int64,
    converted: 10,
    logical: { 8: { struct: { 1: { boolean: false }, 2: { struct: { 2: none } } } } },
  },
};

function chunk(column: WrittenColumn, facts: ChunkFacts, at: number): ThriftValue {
  const { codec, encodings, rows, nulls, uncompressed, compressed, dictionary, min, max } = facts;
  const meta: ThriftStruct = {
    1: { int: types[column.type].type },
    2: { list: encodings.map((one) => ({ int: one })) },
    3: { list: [{ binary: column.name }] },
    4: { int: codec },
    5: { long: rows },
    6: { long: uncompressed },
    7: { long: compressed },
    9: { long: at + dictionary },
    11: dictionary > 0 ? { long: at } : null,
    12: {
      struct: { 3: { long: nulls }, 5: max && { binary: max }, 6: min && { binary: min } },
    },
  };
  return { struct: { 2: { long: at }, 3: { struct: meta } } };
}

function group({ at, rows, chunks }: RowGroup, columns: readonly WrittenColumn[]): ThriftValue {
  let place = at;
  const list = chunks.map((facts, i) => {
    const value = chunk(columns[i]!, facts, place);
    place += facts.compressed;
    return value;
  });
  return {
    struct: {
      1: { list },
      2: { long: chunks.reduce((sum, { uncompressed }) => sum + uncompressed, 0) },
      3: { long: rows },
      5: { long: at },
      6: { long: place - at },
    },
  };
}

/** What stands behind a Parquet file's row groups (apache/parquet-format, parquet.thrift): metadata, their length, the mark. */
export function parquetFooter(columns: readonly WrittenColumn[], groups: readonly RowGroup[]): Uint8Array {
  const schema: ThriftValue[] = [
    { struct: { 3: { int: 0 }, 4: { binary: 'schema' }, 5: { int: columns.length } } },
    ...columns.map(({ name, type: own }): ThriftValue => {
      const { type, converted, logical } = types[own];
      return {
        struct: {
          1: { int: type },
          3: { int: 1 },
          4: { binary: name },
          6: converted === undefined ? null : { int: converted },
          10: logical ? { struct: logical } : null,
        },
      };
    }),
  ];
  const metadata = thriftBytes({
    1: { int: 2 },
    2: { list: schema },
    3: { long: groups.reduce((sum, { rows }) => sum + rows, 0) },
    4: { list: groups.map((one) => group(one, columns)) },
    6: { binary: 'vgpu' },
    7: { list: columns.map(() => ({ struct: { 1: none } })) },
  });
  const end = Buffer.alloc(8);
  end.writeUInt32LE(metadata.length, 0);
  parquetMark.copy(end, 4);
  return Buffer.concat([metadata, end]);
}
