import type { Parsed } from '../types.ts';
import { catboost } from './catboost.ts';
import { classificationReport } from './classification-report.ts';
import { huggingface } from './huggingface.ts';
import { keras } from './keras.ts';
import { lightgbm } from './lightgbm.ts';
import { lightning } from './lightning.ts';
import type { ParserKind } from './parser.ts';
import { plain } from './plain.ts';
import { sklearn } from './sklearn.ts';
import { tqdm } from './tqdm.ts';
import { xgboost } from './xgboost.ts';

/** Asked in this order; the first that understands a line wins, so the particular come before the general. */
export const PARSERS: readonly ParserKind[] = [
  lightning,
  tqdm,
  classificationReport,
  keras,
  xgboost,
  lightgbm,
  catboost,
  huggingface,
  sklearn,
  plain,
];

/** Longer lines are data, not reports. */
const MAX_PARSED = 4096;

/** Reads a task's lines; one per task and stream, because some output is a table over several lines. */
export class LineParser {
  readonly #parsers = PARSERS.map((kind) => kind.create());

  /** What the line says, or undefined. Never throws. */
  parse(line: string): Parsed | undefined {
    if (line.length > MAX_PARSED) return undefined;
    for (const parse of this.#parsers) {
      const parsed = parse(line);
      if (parsed !== undefined) return isEmpty(parsed) ? undefined : parsed;
    }
    return undefined;
  }
}

function isEmpty(parsed: Parsed): boolean {
  for (const _ in parsed) return false;
  return true;
}
