import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { cleanFile } from './clean-file.ts';
import { bytesOf, dirtyTable } from './dirty-table.fixture.ts';
import type { Report } from './result.ts';
import { StoredRows } from './stored-rows.ts';
import { temporaryFolder } from './temporary-file.fixture.ts';

const { dir, file } = temporaryFolder();
let serial = 0;
const taken = { threads: 0, engine: 0 };

/** What an import would report of the file's values. */
async function read(
  path: string,
  threadsFrom: number,
): Promise<{ report: Report; byThreads: boolean } | string> {
  const work = join(dir, `work-${serial++}`);
  mkdirSync(work);
  try {
    const result = await cleanFile(path, {
      clean: { clip: [0.01, 0.99], missingIndicators: true },
      target: 'target',
      work,
      copyTo: null,
      after: true,
      threadsFrom,
    });
    await using _engine = result!.engine;
    const { cleaned } = result!;
    await cleaned.outcomes.count();
    return { report: await cleaned.complete(), byThreads: cleaned.rows instanceof StoredRows };
  } catch (error) {
    return (error as Error).message;
  }
}

afterAll(() => {
  // Most tables are ones that threads can read: the comparison is one of two readers.
  expect(taken.threads).toBeGreaterThan(taken.engine);
});

it('says the same of a table, whichever reader has it', async () => {
  await fc.assert(
    fc.asyncProperty(dirtyTable, async (table) => {
      const path = file(`dirty-${serial++}.csv`, bytesOf(table));
      const [threads, engine] = [await read(path, 0), await read(path, Number.POSITIVE_INFINITY)];
      if (typeof threads === 'string' || typeof engine === 'string') {
        expect(threads).toBe(engine);
        return;
      }
      taken[threads.byThreads ? 'threads' : 'engine']++;
      expect(threads.report).toEqual(engine.report);
    }),
    { numRuns: 15 },
  );
}, 600_000);
