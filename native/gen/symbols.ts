// Derives `cuda-symbols.txt`, the table of every symbol of the CUDA driver API, from NVIDIA's headers:
//   node native/gen/symbols.ts <folder with cuda.h and cudaTypedefs.h> > native/gen/cuda-symbols.txt
// One line per exported symbol: symbol, the name cuGetProcAddress knows it by, the CUDA version that introduced it
// (as that function takes it; `-` where the headers do not say), and its default stream: `legacy`, or `thread` for the
// _ptsz and _ptds variants. Only names and versions are kept: facts, nothing of the headers' text.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface DriverSymbol {
  readonly symbol: string;
  readonly base: string;
  /** e.g. 12050; undefined where the headers do not say */
  readonly version: number | undefined;
  readonly thread: boolean;
}

/** Splits `cuMemcpyDtoD_v2_ptds` into its parts. */
export function split(symbol: string): { base: string; revision: number; thread: boolean } {
  const m = /^(cu\w+?)(?:_v(\d+))?(_ptsz|_ptds)?$/.exec(symbol);
  if (!m?.[1]) throw new Error(`not a driver symbol: ${symbol}`);
  return { base: m[1], revision: Number(m[2] ?? 1), thread: m[3] !== undefined };
}

/** Reads the table as committed. */
export function parseSymbols(text: string): DriverSymbol[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [symbol, base, version, stream] = line.split(' ');
      if (!symbol || !base) throw new Error(`bad line: ${line}`);
      return {
        symbol,
        base,
        version: version === '-' ? undefined : Number(version),
        thread: stream === 'thread',
      };
    });
}

function preprocessed(header: string, ...defines: string[]): string[] {
  const text = execFileSync('gcc', ['-E', '-P', '-x', 'c', ...defines.map((d) => `-D${d}`), header], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return [...text.matchAll(/\bCUresult\s+(cu[A-Z]\w*)\s*\(/g)].map((m) => m[1] as string);
}

/** The table, from the headers in `folder`. */
export function deriveSymbols(folder: string): DriverSymbol[] {
  const header = join(folder, 'cuda.h');
  const names = new Set([
    ...preprocessed(header),
    ...preprocessed(header, 'CUDA_API_PER_THREAD_DEFAULT_STREAM'),
    ...preprocessed(header, '__CUDA_API_VERSION_INTERNAL'),
  ]);
  const introduced = new Map<string, Set<number>>();
  for (const m of readFileSync(join(folder, 'cudaTypedefs.h'), 'utf8').matchAll(
    /\*PFN_(cu\w+?)_v(\d+)(_ptsz|_ptds)?\)/g,
  )) {
    const key = `${m[1]}${m[3] ? '/thread' : ''}`;
    introduced.set(key, (introduced.get(key) ?? new Set()).add(Number(m[2])));
  }
  const families = new Map<string, string[]>();
  for (const name of names) {
    const { base, thread } = split(name);
    const key = `${base}${thread ? '/thread' : ''}`;
    families.set(key, [...(families.get(key) ?? []), name]);
  }
  const out: DriverSymbol[] = [];
  for (const [key, members] of families) {
    // Revisions and versions rise together. Where their numbers differ, the newest ones correspond.
    const versions = [...(introduced.get(key) ?? [])].sort((a, b) => a - b);
    members.sort((a, b) => split(a).revision - split(b).revision);
    members.forEach((symbol, i) => {
      const version = versions[versions.length - members.length + i];
      const { base, thread } = split(symbol);
      out.push({ symbol, base, version, thread });
    });
  }
  return out.sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
}

if (import.meta.main) {
  const folder = process.argv[2];
  if (!folder) throw new Error('usage: symbols.ts <folder with cuda.h and cudaTypedefs.h>');
  const version = /#define CUDA_VERSION (\d+)/.exec(readFileSync(join(folder, 'cuda.h'), 'utf8'))?.[1];
  const lines = deriveSymbols(folder).map(
    (s) => `${s.symbol} ${s.base} ${s.version ?? '-'} ${s.thread ? 'thread' : 'legacy'}`,
  );
  process.stdout.write(
    `# CUDA ${version}, ${lines.length} symbols; made by symbols.ts\n${lines.join('\n')}\n`,
  );
}
