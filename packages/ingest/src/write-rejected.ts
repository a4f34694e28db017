import type { CleanedTable } from './clean-table.ts';
import { csvLine, TextWriter } from './csv-text.ts';
import type { OpenedTable } from './opened-table.ts';
import type { Rejection } from './result.ts';
import { sortRecord, walkRecords } from './walk-table.ts';

/**
 * Lists the records that are not in the clean data: the line they stand on, why, and their text as it
 * was. Written to `path` as CSV when given. Reads the file again, and only when there are any.
 */
export async function writeRejected(
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
    const bits = await cleaned.rows.leftOut();
    let row = 0;
    await walkRecords(
      opened.text,
      opened.layout.width,
      (record) =>
        sortRecord(record, opened.layout, {
          kept() {
            const id = row++;
            const why = bits.findIndex((rows) => (rows[id >> 3]! >> (id & 7)) & 1);
            if (why >= 0) refuse(record.line, cleaned.late[why]!.reason, record.raw);
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
