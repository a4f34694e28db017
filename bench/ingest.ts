/**
 * CSV import against the same steps in pandas, on the same files, in turns: hash, detect encoding and
 * delimiter, read, measure every column (quantiles, distinct values, histogram, outliers), clip at 1 % and
 * 99 % but for the row number, fill medians and modes, count what was changed with examples, measure again,
 * write CSV, Parquet (Snappy), report and rejected rows. Two files: one plain, one as a European
 * spreadsheet exports it (semicolons, decimal commas, thousands, units in cells, windows-1252).
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, rm, stat } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Bench, type BenchResult, less, quantile } from './result.ts';

const run = promisify(execFile);
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export interface BenchIngestOptions {
  quick?: boolean;
  /** Python with pandas and pyarrow; default VGPU_BENCH_PYTHON, else a venv made under the cache folder. */
  python?: string;
}

/** A Python that has pandas; makes one (from PyPI) where none is named. */
async function pandasPython(named: string | undefined): Promise<string> {
  const given = named ?? process.env.VGPU_BENCH_PYTHON;
  if (given) return given;
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'vgpu', 'bench-pandas');
  const python = join(folder, 'bin', 'python');
  if (existsSync(join(folder, 'ready'))) return python;
  await run('python3', ['-m', 'venv', folder]);
  await run(python, ['-m', 'pip', 'install', '--quiet', 'pandas==3.1.1', 'pyarrow==26.0.1'], {
    timeout: 600_000,
  });
  await (await open(join(folder, 'ready'), 'w')).close();
  return python;
}

/** Repeatable numbers from 0 to 1 (mulberry32). */
function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const towns = ['Köln', 'Paris', 'San Jose', 'Rome', 'Lima', 'Oslo'];

async function writeTable(path: string, kind: 'plain' | 'dirty', bytes: number): Promise<void> {
  const next = randoms(1);
  const dirty = kind === 'dirty';
  const file = await open(path, 'w');
  const mark = dirty ? ';' : ',';
  const number = (value: number, digits: number): string => {
    const text = value.toFixed(digits);
    return dirty ? text.replace('.', ',') : text;
  };
  const grouped = (value: number): string =>
    dirty && value >= 1000
      ? `${Math.floor(value / 1000)}.${String(value % 1000).padStart(3, '0')}`
      : String(value);
  await file.write(
    `${['id', 'weight', 'income', 'visits', 'town', 'day', 'x1', 'x2', 'x3', 'x4', 'label'].join(mark)}\n`,
  );
  let written = 0;
  for (let id = 0; written < bytes; ) {
    let text = '';
    for (let i = 0; i < 20_000; i++, id++) {
      const weight = next() < 0.03 ? '' : number(40 + next() * 60, 2);
      const day = String(1 + Math.floor(next() * 28)).padStart(2, '0');
      const cells = [
        id,
        dirty && weight !== '' ? `${weight} kg` : weight,
        next() < 0.02 ? (dirty ? 'k.A.' : 'NA') : number(Math.exp(next() * 6), 3),
        grouped(Math.floor(next() * 5000)),
        next() < 0.01 ? '' : towns[Math.floor(next() * 6)],
        dirty ? `${day}.03.2024` : `2024-03-${day}`,
        ...[1, 2, 3, 4].map(() => number(next() * 4 - 2, 6)),
        next() < 0.5 ? 'up' : 'down',
      ];
      text += `${cells.join(mark)}\n`;
    }
    const chunk = Buffer.from(text, dirty ? 'latin1' : 'utf8');
    await file.write(chunk);
    written += chunk.length;
  }
  await file.close();
}

interface Measured {
  seconds: number;
  /** Processor time over all threads: what remains comparable on a busy machine. */
  cpu: number;
  mib: number;
  rows: number;
}

/** The figures; throughput is the file's bytes over the import's time. */
export async function benchIngest(options: BenchIngestOptions = {}): Promise<BenchResult[]> {
  const python = await pandasPython(options.python);
  const folder = await mkdtemp(join(tmpdir(), 'vgpu-bench-ingest-'));
  const results: BenchResult[] = [];
  try {
    for (const kind of ['plain', 'dirty'] as const) {
      const path = join(folder, `${kind}.csv`);
      await writeTable(path, kind, (options.quick ? 24 : 160) * 1_000_000);
      const megabytes = (await stat(path)).size / 1e6;
      const ours: Measured[] = [];
      const peer: Measured[] = [];
      for (let round = 0; round < (options.quick ? 1 : 3); round++) {
        const out = join(folder, `out-${kind}-${round}`);
        await mkdir(out);
        const one = await run(process.execPath, [here('./harness/ingest-ours.ts'), path, out, 'label']);
        const two = await run(python, [
          here('./harness/ingest_pandas.py'),
          path,
          join(out, 'pandas'),
          'label',
          kind,
        ]);
        ours.push(JSON.parse(one.stdout) as Measured);
        peer.push(JSON.parse(two.stdout) as Measured);
        await rm(out, { recursive: true });
      }
      if (ours[0]!.rows !== peer[0]!.rows)
        throw new Error(`${kind}: ${ours[0]!.rows} rows against ${peer[0]!.rows}`);
      const median = (list: readonly Measured[], key: 'seconds' | 'cpu' | 'mib') =>
        quantile(
          list.map((one) => one[key]),
          0.5,
        );
      const label = `CSV import, ${kind}, ${Math.round(megabytes)} MB`;
      results.push(less(`${label}: time`, 's', median(ours, 'seconds'), median(peer, 'seconds'), 'pandas'));
      results.push(less(`${label}: processor time`, 's', median(ours, 'cpu'), median(peer, 'cpu'), 'pandas'));
      results.push(less(`${label}: peak memory`, 'MiB', median(ours, 'mib'), median(peer, 'mib'), 'pandas'));
    }
    return results;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export const bench: Bench = ({ quick }) => benchIngest({ quick });
