/**
 * Builds what the launcher runs: dist/cli.mjs and dist/server.mjs; with `--page` the dashboard's page instead.
 * Each part remembers the hash of what it was built from, so that a build with nothing to do takes no time.
 * `--force` builds it again.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bundle, bundle } from './bundle.ts';
import { hashSources } from './sources.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const force = process.argv.includes('--force');

/** Small libraries that the command line loads faster as part of its own files. */
const cliInline = [
  'commander',
  '@clack/prompts',
  'picocolors',
  'ignore',
  'tar-stream',
  'get-east-asian-width',
  'log-update',
  'zod',
  'yaml',
];
const bundles: Bundle[] = [
  { name: 'cli', entry: 'apps/cli/src/entry.ts', inline: cliInline },
  { name: 'server', entry: 'apps/server/src/main.ts', inline: [] },
];

/** Runs `work` unless it was done before from the same sources. */
async function once(name: string, hash: string, result: string, work: () => Promise<void>): Promise<void> {
  const stamp = join(dist, `.${name}.hash`);
  const known = existsSync(stamp) && existsSync(result) ? readFileSync(stamp, 'utf8') : '';
  if (known === hash && !force) return;
  await work();
  writeFileSync(stamp, hash);
}

async function buildDashboard(): Promise<void> {
  const done = spawnSync(process.execPath, [join(root, 'node_modules/vite/bin/vite.js'), 'build'], {
    cwd: join(root, 'apps/dashboard'),
    encoding: 'utf8',
    // whatever calls us: React's development build is slower and twice the size
    env: { ...process.env, NODE_ENV: 'production' },
  });
  if (done.status !== 0) throw new Error(`vite build failed:\n${done.stdout}\n${done.stderr}`);
}

async function buildPage(): Promise<void> {
  const hash = hashSources(root, ['packages/api', 'packages/core', 'apps/dashboard'], ['package-lock.json']);
  await once('dashboard', hash, join(root, 'apps/dashboard/dist/index.html'), buildDashboard);
}

async function buildPrograms(): Promise<void> {
  const startedAt = new Date();
  const code = hashSources(root, ['packages', 'apps/cli', 'apps/server', 'tools'], ['package-lock.json']);
  for (const one of bundles) {
    await once(one.name, code, join(dist, `${one.name}.mjs`), () => bundle(root, one));
  }
  const ready = join(dist, '.ready');
  writeFileSync(ready, `${process.execPath}\n`);
  utimesSync(ready, startedAt, startedAt); // what changed while we built is newer
}

try {
  mkdirSync(dist, { recursive: true });
  await (process.argv.includes('--page') ? buildPage() : buildPrograms());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
