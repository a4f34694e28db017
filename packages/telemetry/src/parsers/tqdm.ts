import type { Parsed, Progress } from '../types.ts';
import { clockSeconds } from './duration.ts';
import { metricName, plainName } from './metric-names.ts';
import type { ParserKind } from './parser.ts';

/** `Train:  40%|████      | 2/5 [00:00<00:00,  6.63batch/s, loss=0.12]`, also without label or total. */
const BAR = /^(?:(.*?): *)?(?: *(\d{1,3})%)?\|[^|]*\| *([\d.]+[kMGTP]?)\/([\d.]+[kMGTP]?|\?) \[([^\]]*)\]?/;
/** `no total: 3it [00:00,  8.30it/s]` */
const COUNT = /^(?:(.*?): )? *([\d.]+[kMGTP]?)([^\s\d[]{0,20}) \[([^\]]*)\]?$/;
const SCALE: Record<string, number> = { k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 };

function scaled(text: string): number {
  const scale = SCALE[text.at(-1)!];
  return scale === undefined ? Number(text) : Number(text.slice(0, -1)) * scale;
}

/** Reads a bar of tqdm's shape; shared with Lightning, which draws its bars with tqdm. */
export function parseBar(line: string): (Parsed & { label: string }) | undefined {
  if (!line.includes('[') || !(line.includes('|') || line.includes(':'))) return undefined;
  const bar = BAR.exec(line);
  const count = bar === null ? COUNT.exec(line) : null;
  if (bar === null && count === null) return undefined;
  const label = ((bar ?? count)![1] ?? '').trim().slice(0, 100);
  const progress: Progress = { current: scaled((bar ? bar[3] : count![2])!) };
  if (bar && bar[4] !== '?') {
    progress.total = scaled(bar[4]!);
    if (progress.total > 0) progress.fraction = Math.min(1, progress.current / progress.total);
  }
  if (count && !/\d:\d\d/.test(count[4]!)) return undefined;
  if (count?.[3]) progress.unit = count[3];
  if (label !== '') progress.label = label;
  const metrics = readInside((bar ? bar[5] : count![4])!, progress);
  if (!Number.isFinite(progress.current)) return undefined;
  return { label, progress, ...(metrics && { metrics }) };
}

/** `00:00<00:03, 6.63batch/s, loss=0.12`: fills rate and time left, returns the postfix's metrics. */
function readInside(inside: string, progress: Progress): Record<string, number> | undefined {
  let metrics: Record<string, number> | undefined;
  const parts = inside.split(',');
  const eta = clockSeconds(parts[0]!.split('<')[1]?.trim() ?? '');
  if (eta !== undefined) progress.eta = eta;
  for (const part of parts.slice(1)) {
    const rate = /^ *([\d.]+)([kMGTP]?)([^\s\d=]*)\/s$/.exec(part);
    const inverse = rate ? null : /^ *([\d.]+)s\/([^\s\d=]+)$/.exec(part);
    if (rate) {
      progress.rate = scaled(rate[1]! + rate[2]!);
      if (rate[3]) progress.unit = rate[3];
    } else if (inverse) {
      progress.rate = 1 / Number(inverse[1]);
      progress.unit = inverse[2]!;
    } else {
      const equals = part.indexOf('=');
      if (equals < 1) continue;
      const text = part.slice(equals + 1).trim();
      const value = text === '' ? Number.NaN : Number(text);
      const key = part.slice(0, equals).trim();
      if (!Number.isFinite(value) || key === 'v_num') continue;
      const name = metricName(key) ?? plainName(key);
      metrics ??= Object.create(null) as Record<string, number>;
      if (name !== '') metrics[name] = value;
    }
  }
  return metrics;
}

export const tqdm: ParserKind = {
  name: 'tqdm',
  create: () => (line) => {
    const bar = parseBar(line);
    if (bar === undefined) return undefined;
    const { label: _, ...parsed } = bar;
    // A loss in a bar's postfix belongs to the step that the bar is at.
    return parsed.metrics ? { ...parsed, step: parsed.progress!.current } : parsed;
  },
};
