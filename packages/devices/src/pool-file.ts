import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultPool, type Pool } from './pool.ts';

/**
 * The pools as the server last knew them, for programs without a server (`vgpu exec`): a file in VGPU_HOME that is
 * replaced as a whole. The server's store is the truth.
 */
const pathOf = (home: string): string => join(home, 'pools.json');

/** Keeps the pools for programs without a server. */
export function keepPools(home: string, pools: readonly Pool[]): void {
  mkdirSync(home, { recursive: true });
  const partial = `${pathOf(home)}.${process.pid}`;
  writeFileSync(partial, `${JSON.stringify(pools, null, 2)}\n`);
  renameSync(partial, pathOf(home));
}

/** The pools that were kept; the default pool alone where no server ever ran. */
export function keptPools(home: string): readonly Pool[] {
  try {
    const pools = JSON.parse(readFileSync(pathOf(home), 'utf8')) as Partial<Pool>[];
    return pools.map((pool) => ({ ...defaultPool, ...pool })); // an earlier version knew fewer settings
  } catch {
    return [defaultPool];
  }
}
