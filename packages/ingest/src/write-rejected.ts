import type { CleanedTable } from './clean-table.ts';
import { csvLine, TextWriter } from './csv-text.ts';
import type { Engine } from './engine.ts';
import type { OpenedTable } from './open-table.ts';
import type { Rejection } from './result.ts';
import { sortRecord, walkRecords } from './walk-table.ts';

/** For each late reason, the loaded rows (from 0) that it refuses, as bits. */
async function lateRows(
  engine: Engine,
  cleaned: CleanedTable,
): Promise<{ reason: string; bits: Uint8Array }[]> {
  const all: { reason: string; bits: Uint8Array }[] = [];
  const pageSize = 50_000;
  for (const { where, reason } of cleaned.late) {
    const bits = new Uint8Array(Math.ceil(cleaned.read / 8));
    for (let from = -1; ; ) {
      const page = await engine.rows(
        `SELECT rowid AS id FROM typed WHERE (${where}) AND rowid > ${from} ORDER BY rowid LIMIT ${pageSize}`,
      );
      for (const row of page) bits[Number(row.id) >> 3]! |= 1 << (Number(row.id) & 7);
      if (page.length < pageSize) break;
      from = Number(page.at(-1)!.id);
    }
    all.push({ reason, bits });
  }
  return all;
}

/**
 * Lists the records that are not in the clean data: the line they stand on, why, and their text as it
 * was. Written to `path` as CSV when given. Reads the file again, and only when there are any.
 */
export async function writeRejected(
  engine: Engine,
  opened: OpenedTable,
  cleaned: CleanedTable,
  path: string | null,
  signal?: AbortSignal,
): Promise<Rejection[]> {
  const writer = path === null ? null : new TextWriter(path);
  writer?.add('line,reason,text\n');
  const rejections = new Map<string, Rejection>();
  const refuse = (line: number, reason: string, text: string): void => {
    let entry = rejections.get(reason);
    if (!entry) {
      entry = { reason, count: 0, examples: [] };
      rejections.set(reason, entry);
    }
    entry.count++;
    if (entry.examples.length < 5)
      entry.examples.push({ line, text: text.length > 200 ? `${text.slice(0, 199)}…` : text });
    writer?.add(csvLine([String(line), reason, text]));
  };
  if (cleaned.rejected + opened.aside > 0) {
    const late = await lateRows(engine, cleaned);
    let row = 0;
    await walkRecords(
      opened.text,
      opened.layout.width,
      (record) =>
        sortRecord(record, opened.layout, {
          kept() {
            const id = row++;
            const why = late.find(({ bits }) => (bits[id >> 3]! >> (id & 7)) & 1);
            if (why) refuse(record.line, why.reason, record.raw);
          },
          rejected: ({ line, raw }, reason) => refuse(line, reason, raw),
          // No rows, so not counted as rejected ones; kept beside the data all the same.
          aside: ({ line, raw }, { reason }) => writer?.add(csvLine([String(line), reason, raw])),
          blank() {},
        }),
      { signal, afterChunk: async () => writer?.flush() },
    );
  }
  await writer?.end();
  return [...rejections.values()].sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1));
}
