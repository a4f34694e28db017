/** One import in a process of its own, for bench/ingest.ts. Prints seconds, peak memory and rows. */
import { importFile } from '@vgpu/ingest';

const [path, outDir, target] = process.argv.slice(2) as [string, string, string];
// Loaded before the clock starts, as the peer's libraries are.
await import('@duckdb/node-api');
const before = process.cpuUsage();
const started = performance.now();
const { rows } = await importFile(path, {
  outDir,
  target,
  keepOriginal: false,
  clean: { clip: [0.01, 0.99] },
});
const seconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage(before);
console.log(
  JSON.stringify({ seconds, cpu: (user + system) / 1e6, mib: process.resourceUsage().maxRSS / 1024, rows }),
);
