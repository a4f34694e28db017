import type { ParserKind } from './parser.ts';

/** `train ━━━━━╸━━━━ 62% 0:00:01` (rich), `[####......] 40%` (click), ` 37%[=====>    ]` (wget). */
const BAR = /^(.{0,80}?) *\[?[━╸╺─█░▒▓#=>.\- ]{4,200}\]? +(\d{1,3}(?:\.\d+)?)%(?: |$)/;
const WGET = /^(.{0,80}?) *(\d{1,3})% ?\[[=> ]{4,200}\]/;

/** Bars that tell nothing but a percentage. */
export const percent: ParserKind = {
  name: 'percent',
  create: () => (line) => {
    if (!line.includes('%') || !/[━█#=─]{2}|\[\s/.test(line)) return undefined;
    const match = BAR.exec(line) ?? WGET.exec(line);
    if (match === null) return undefined;
    const current = Number(match[2]);
    if (current > 100) return undefined;
    const label = match[1]!.trim();
    return { progress: { current, total: 100, fraction: current / 100, unit: '%', ...(label && { label }) } };
  },
};
