import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ColumnStore, columnPlaces, type StoreDescription } from './column-store.ts';
import { temporaryFolder } from './temporary-file.fixture.ts';

const { dir } = temporaryFolder();

const columns: StoreDescription['columns'] = [
  { kind: 'words', words: ['a', null, 'b'], counts: [2, 1, 2] },
  { kind: 'numbers' },
  { kind: 'words', words: ['x'], counts: [5] },
];

/** Two blocks of three and two rows; the second was laid out for four. */
function blockOf(capacity: number, codes: number[], numbers: number[]): SharedArrayBuffer {
  const places = columnPlaces(columns, capacity);
  const buffer = new SharedArrayBuffer(places.at(-1)!);
  new Uint16Array(buffer, places[0]!, capacity).set(codes);
  new Float64Array(buffer, places[1]!, capacity).set(numbers);
  return buffer;
}

const buffers = [blockOf(3, [0, 1, 2], [1.5, Number.NaN, -3]), blockOf(4, [2, 0], [4, 5])];
const shape = [
  { first: 0, rows: 3, capacity: 3, record: 0, records: null },
  { first: 3, rows: 2, capacity: 4, record: 3, records: Uint32Array.of(3, 6) },
];

function contents(description: StoreDescription) {
  const store = new ColumnStore(structuredClone(description));
  const found = description.blocks.map((_, block) => [
    [...store.codes(block, 0)],
    [...store.numbers(block, 1)],
    [...store.codes(block, 2)],
  ]);
  store.close();
  return found;
}

const expected = [
  [
    [0, 1, 2],
    [1.5, Number.NaN, -3],
    [0, 0, 0],
  ],
  [
    [2, 0],
    [4, 5],
    [0, 0],
  ],
];

it('gives the same values from memory and from a file', () => {
  const inMemory = shape.map((one, i) => ({ ...one, buffer: buffers[i]!, at: 0 }));
  expect(contents({ columns, blocks: inMemory, rows: 5, path: null })).toEqual(expected);
  const path = join(dir, 'blocks');
  writeFileSync(path, Buffer.concat(buffers.map((buffer) => Buffer.from(new Uint8Array(buffer)))));
  const onDisk = shape.map((one, i) => ({ ...one, buffer: null, at: i === 0 ? 0 : buffers[0]!.byteLength }));
  expect(contents({ columns, blocks: onDisk, rows: 5, path })).toEqual(expected);
});
