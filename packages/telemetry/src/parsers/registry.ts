import type { Parsed } from '../types.ts';
import { catboost } from './catboost.ts';
import { classificationReport } from './classification-report.ts';
import { huggingface } from './huggingface.ts';
import { keras } from './keras.ts';
import { lightgbm } from './lightgbm.ts';
import { lightning } from './lightning.ts';
import type { ParserKind } from './parser.ts';
import { percent } from './percent.ts';
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
  percent,
  plain,
];

/** Those that read bars, which may also be asked about a line that is still being redrawn. */
const LIVE = new Set<ParserKind>([lightning, tqdm, keras, percent]);

/** Longer lines are data, not reports. */
const MAX_PARSED = 2048;

/** Reads a task's lines; one per task and stream, because some output is a table over several lines. */
export class LineParser {
  readonly #parsers = PARSERS.map((kind) => kind.create());
  readonly #live = this.#parsers.filter((_, i) => LIVE.has(PARSERS[i]!));

  /** What the line says, or undefined. Never throws. */
  parse(line: string): Parsed | undefined {
    return this.#ask(this.#parsers, line);
  }

  /** What a line that is still being redrawn says: bars only, since other lines count when they are done. */
  parseLive(line: string): Parsed | undefined {
    return this.#ask(this.#live, line);
  }

  #ask(parsers: ReturnType<ParserKind['create']>[], line: string): Parsed | undefined {
    if (line.length > MAX_PARSED) return undefined;
    for (const parse of parsers) {
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
