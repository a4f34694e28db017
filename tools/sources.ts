import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const skipped = new Set(['node_modules', 'dist', 'fixtures', '__pycache__']);

/** Files below a folder that a build reads: no tests, no installed packages, no build results. Sorted. */
export function sourceFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return skipped.has(entry.name) ? [] : sourceFiles(path);
      return entry.isFile() && !/\.test\.tsx?$/.test(entry.name) ? [path] : [];
    })
    .sort();
}

/** SHA-256 over names and contents of the files below some folders. */
export function hashSources(root: string, folders: readonly string[], extra: readonly string[] = []): string {
  const hash = createHash('sha256');
  const files = [
    ...folders.flatMap((folder) => sourceFiles(join(root, folder))),
    ...extra.map((file) => join(root, file)),
  ];
  for (const file of files) {
    hash
      .update(`${relative(root, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  }
  return hash.digest('hex');
}
