/** A program of its own that has a thread do something, and prints whether it did. */
import type { FixtureHandlers } from './table-worker.fixture.ts';
import { TableWorkers } from './table-workers.ts';

await using workers = new TableWorkers<FixtureHandlers>(
  1,
  undefined,
  new URL('./table-worker.fixture.ts', import.meta.url),
);
console.log((await workers.run('thread', { milliseconds: 0 })) > 0);
