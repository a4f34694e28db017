import type { ChangeLog } from './change-log.ts';

/** "No part of the data: 2 lines above the table and 1 line below it."; null without any. */
export function asideWords(changes: ChangeLog): string | null {
  const counted = (kind: string): string => {
    const count = changes.list().find((one) => one.kind === kind)?.count ?? 0;
    return count === 0 ? '' : `${count} line${count === 1 ? '' : 's'}`;
  };
  const above = counted('line.preamble');
  const below = counted('line.footer');
  const between = counted('line.comment').replace('line', 'comment');
  const words = [
    above && `${above} above the table`,
    below && `${below} below ${above ? 'it' : 'the table'}`,
    between && `${between} between its rows`,
  ]
    .filter(Boolean)
    .join(' and ');
  if (!words) return null;
  return `No part of the data: ${words}. An import keeps such lines in rejected.csv.`;
}
