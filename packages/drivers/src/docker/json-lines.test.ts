import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonLines } from './json-lines.ts';

const collect = async (chunks: Buffer[], max?: number) => {
  const out: unknown[] = [];
  for await (const value of jsonLines(
    (async function* () {
      yield* chunks;
    })(),
    max,
  ))
    out.push(value);
  return out;
};

test('values come out as they went in, wherever the stream is cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ s: fc.string({ unit: 'grapheme' }) })),
      fc.integer({ min: 1, max: 7 }),
      async (values, size) => {
        const bytes = Buffer.from(values.map((v) => `${JSON.stringify(v)}\r\n`).join(''));
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
          bytes.subarray(i * size, (i + 1) * size),
        );
        expect(await collect(chunks)).toEqual(values);
      },
    ),
  );
});

test('lines that are no JSON or far too long are skipped, the rest is read', async () => {
  expect(
    await collect(
      [
        Buffer.from('{"a":1}\nnot json\n'),
        Buffer.from('x'.repeat(100)),
        Buffer.from('y\n{"b":2}\n'),
        Buffer.from([0xff, 0xfe, 10]),
        Buffer.from('{"c":3}'),
      ],
      50,
    ),
  ).toEqual([{ a: 1 }, { b: 2 }, { c: 3 }]);
});
