import { VgpuError } from '@vgpu/core';

/** Where a page ended: the sorted value and the id that breaks ties, opaque to clients. */
export interface Cursor {
  value: string | number;
  id: string;
}

export const encodeCursor = (cursor: Cursor): string =>
  Buffer.from(JSON.stringify([cursor.value, cursor.id])).toString('base64url');

/** @throws VgpuError `BAD_REQUEST` for a cursor that no listing gave out. */
export function decodeCursor(text: string): Cursor {
  try {
    const [value, id] = JSON.parse(Buffer.from(text, 'base64url').toString()) as [unknown, unknown];
    if ((typeof value === 'string' || typeof value === 'number') && typeof id === 'string')
      return { value, id };
  } catch {
    // below
  }
  throw new VgpuError('BAD_REQUEST', { problem: 'the cursor is not one that a listing gave out' });
}
