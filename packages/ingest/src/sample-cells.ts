import { open, stat } from 'node:fs/promises';
import { RecordReader, type RecordSyntax } from './record-reader.ts';
import { readAt } from './source-file.ts';

const headLength = 1 << 20;
const windows = 24;
const windowLength = 48 * 1024;
/** Characters that are read before it is seen whether there are records enough. */
const pieceLength = 8192;

/**
 * Cells of each column from the head of a file and from windows spread over the rest, as evidence
 * for types. A window may open inside a quoted text; its records of another width are left out.
 */
export async function sampleCells(
  path: string,
  offset: number,
  syntax: RecordSyntax,
  width: number,
  encoding: 'utf8' | 'latin1' = 'utf8',
): Promise<string[][]> {
  const columns: string[][] = Array.from({ length: width }, () => []);
  const budget = Math.max(200, Math.floor(60_000 / width));
  let rows = 0;
  const add = (text: string, dropFirst: boolean, complete: boolean, most: number): void => {
    let seen = 0;
    const reader = new RecordReader(syntax, width);
    const take = ({ fields, blank }: { fields: string[]; blank: boolean }): void => {
      if ((dropFirst && seen++ === 0) || blank || fields.length !== width || rows >= most) return;
      rows++;
      for (let i = 0; i < width; i++) columns[i]!.push(fields[i]!);
    };
    let at = 0;
    for (; at < text.length && rows < most; at += pieceLength)
      reader.push(text.slice(at, at + pieceLength), take);
    if (complete && at >= text.length) reader.end(take);
  };
  const file = await open(path);
  try {
    const { size } = await stat(path);
    const head = await readAt(file, offset, Math.min(headLength, size - offset));
    add(head.toString(encoding), false, offset + head.length >= size, budget / 2);
    const rest = size - offset - head.length;
    for (let i = 0; i < windows && rest > windowLength; i++) {
      const at = offset + head.length + Math.floor(((rest - windowLength) * i) / Math.max(1, windows - 1));
      const most = budget / 2 + ((i + 1) * budget) / 2 / windows;
      add((await readAt(file, at, windowLength)).toString(encoding), true, false, Math.max(most, rows + 10));
    }
    return columns;
  } finally {
    await file.close();
  }
}
