// Exits 0 when node_modules holds what package-lock.json asks for, 1 when `npm ci` is needed.
// It compares the lock with the one that npm keeps inside node_modules, so that any way of installing will do.
import { existsSync, readFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);
const read = (path) => JSON.parse(readFileSync(new URL(path, root), 'utf8')).packages;

function missing() {
  const wanted = read('package-lock.json');
  const have = read('node_modules/.package-lock.json');
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.includes('node_modules/') || entry.optional || entry.peer) continue;
    if (entry.link ? !have[path] : have[path]?.version !== entry.version) return path;
    if (!existsSync(new URL(path, root))) return path;
  }
  return undefined;
}

try {
  process.exit(missing() ? 1 : 0);
} catch {
  process.exit(1); // no node_modules yet, or half of one
}
