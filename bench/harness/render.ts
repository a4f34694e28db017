import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchResult } from '../result.ts';

interface Kept {
  name: string;
  takenAt: string;
  machine: string;
  quick: boolean;
  figures: BenchResult[];
}

const begin = '<!-- figures: written by `vgpu bench` -->';
const end = '<!-- end of figures -->';

function row({ name, ours, peer, peerName, ratio, unit }: BenchResult): string {
  const rival = peer === null ? '–' : `${peer} ${unit} (${peerName})`;
  return `| ${name} | ${ours} ${unit} | ${rival} | ${ratio === null ? '–' : `${ratio}×`} |`;
}

/** Writes the kept results into their place in a page; the rest of the page stays as it is. */
export function renderPerformance(results: string, page: string): void {
  if (!existsSync(results) || !existsSync(page)) return;
  const kept = readdirSync(results)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => JSON.parse(readFileSync(join(results, file), 'utf8')) as Kept);
  const tables = kept.map((one) =>
    [
      `### ${one.name}`,
      '',
      `${one.takenAt.slice(0, 10)}, ${one.machine}${one.quick ? ', quick run' : ''}`,
      '',
      '| what | vgpu | beside it | better by |',
      '|---|---|---|---|',
      ...one.figures.map(row),
    ].join('\n'),
  );
  const text = readFileSync(page, 'utf8');
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${page} has no place for the figures`);
  writeFileSync(page, `${text.slice(0, from + begin.length)}\n\n${tables.join('\n\n')}\n\n${text.slice(to)}`);
}
