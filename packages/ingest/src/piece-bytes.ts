import { closeSync, openSync, readSync } from 'node:fs';
import type { ParseTask } from './parse-task.ts';

const LF = 10;
const CR = 13;
/** Bytes behind a piece that its last line may take. */
const overhang = 1 << 16;

/** A buffer that stays with the thread from piece to piece. */
let room: Buffer = Buffer.alloc(0);

/** The piece's bytes, with one line end or more behind its last line; from which byte its first line begins, and where its lines end. */
export function readPiece(task: ParseTask): { bytes: Buffer; start: number; stop: number } {
  const file = openSync(task.path, 'r');
  try {
    // The byte before tells whether a line begins with the first.
    const from = task.first ? task.from : task.from - 1;
    let wanted = task.to - from + overhang;
    let read = 0;
    for (;;) {
      if (room.length < wanted + 2) {
        const more = Buffer.allocUnsafeSlow(wanted + 2);
        room.copy(more, 0, 0, read);
        room = more;
      }
      let ended = false;
      while (read < wanted && !ended) {
        const count = readSync(file, room, read, wanted - read, from + read);
        ended = count === 0;
        read += count;
      }
      const start = task.first ? 0 : room.subarray(0, read).indexOf(LF) + 1;
      const inside = task.to - from;
      // A line that begins before `to` belongs to the piece: it ends with the first line feed from the byte before on.
      const lf = room.subarray(0, read).indexOf(LF, inside - 1);
      let stop = lf + 1;
      if (lf === -1) {
        if (!ended) {
          wanted *= 2;
          continue;
        }
        stop = read;
        if (read > 0 && room[read - 1] !== LF) {
          if (task.crlf) room[stop++] = CR;
          room[stop++] = LF;
        }
      }
      const none = !task.first && (start === 0 || start >= inside);
      return { bytes: room, start: none ? stop : start, stop };
    }
  } finally {
    closeSync(file);
  }
}

/** Rows that a piece of so many bytes will have at most, by its first lines. */
export function expectedRows(bytes: Buffer, start: number, stop: number): number {
  let lines = 0;
  let at = start;
  for (; lines < 500 && at < stop; lines++) {
    const lf = bytes.indexOf(LF, at);
    if (lf === -1) break;
    at = lf + 1;
  }
  return lines === 0 ? 1 : Math.ceil(((stop - start) / (at - start)) * lines * 1.1) + 16;
}

/** For cells that stand in quotes: where the quotes end, or -1; whether quotes stand in them. */
export function closingQuote(bytes: Buffer, from: number, quote: number): { at: number; doubled: boolean } {
  let doubled = false;
  for (let at = from; ; at++) {
    const byte = bytes[at]!;
    if (byte === LF) return { at: -1, doubled };
    if (byte !== quote) continue;
    if (bytes[at + 1] !== quote) return { at, doubled };
    doubled = true;
    at++;
  }
}
