/**
 * Runs the benchmarks: `vgpu bench [name…] [--json] [--quick] [--list] [--no-save]`.
 * A benchmark is a file in this folder that exports `bench`. Results are kept in bench/results/<name>.json, and the
 * tables of docs/performance.md are written from those.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machineLine } from './harness/machine.ts';
import { renderPerformance } from './harness/render.ts';
import type { Bench, BenchResult } from './result.ts';

const folder = import.meta.dirname;
const results = join(folder, 'results');

/** Names of the benchmarks: every file here that is one. */
function benchNames(): string[] {
  return readdirSync(folder)
    .filter(
      (file) =>
        file.endsWith('.ts') && readFileSync(join(folder, file), 'utf8').includes('\nexport const bench'),
    )
    .map((file) => file.slice(0, -3))
    .sort();
}

function save(name: string, quick: boolean, figures: readonly BenchResult[]): void {
  mkdirSync(results, { recursive: true });
  const kept = { name, takenAt: new Date().toISOString(), machine: machineLine(), quick, figures };
  writeFileSync(join(results, `${name}.json`), `${JSON.stringify(kept, null, 2)}\n`);
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      'no-save': { type: 'boolean', default: false },
    },
  });
  const known = benchNames();
  if (values.list) {
    console.log(values.json ? JSON.stringify(known) : known.join('\n'));
    return 0;
  }
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown) {
    console.error(`error no benchmark "${unknown}"; there are ${known.join(', ')}`);
    return 2;
  }
  const all: BenchResult[] = [];
  let failed = 0;
  for (const name of positionals.length > 0 ? positionals : known) {
    console.error(`── ${name}`);
    try {
      const { bench } = (await import(join(folder, `${name}.ts`))) as { bench: Bench };
      const figures = await bench({ quick: values.quick });
      all.push(...figures);
      for (const one of figures) {
        const peer = one.peer === null ? '' : `, ${one.peerName} ${one.peer} ${one.unit}: ${one.ratio}×`;
        console.error(`   ${one.name}: ${one.ours} ${one.unit}${peer}`);
      }
      if (!values['no-save']) save(name, values.quick, figures);
    } catch (error) {
      failed++;
      console.error(`   failed: ${error instanceof Error ? error.message : error}`);
    }
  }
  if (!values['no-save']) renderPerformance(results, join(folder, '../docs/performance.md'));
  if (values.json) console.log(JSON.stringify(all, null, 2));
  return failed > 0 ? 1 : 0;
}

process.exitCode = await main();
