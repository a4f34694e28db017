import { plain } from '../output/plain.ts';
import { note } from '../output/print.ts';
import { stderrStyle as style } from '../output/style.ts';
import { cut } from '../output/table.ts';

/** Steps in a line each. What their commands print: on a terminal only the line that is the last now, elsewhere all. */
export async function stepProgress(titles: ReadonlySet<string>) {
  const live = process.stderr.isTTY
    ? (await import('log-update')).createLogUpdate(process.stderr)
    : undefined;
  const tell = (line: string): void => {
    if (!live || titles.has(line)) {
      live?.clear();
      note(titles.has(line) ? `  ${line}` : style.dim(`    ${line}`));
    } else live(style.dim(cut(`    ${plain(line)}`, (process.stderr.columns || 80) - 1)));
  };
  return { tell, done: () => live?.clear() };
}
