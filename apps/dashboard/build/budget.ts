import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

/**
 * Fails the build when the JavaScript that the first page loads (the entry, what it imports statically, and the
 * largest page) is over `limit` bytes of gzip.
 */
export function budget(limit: number): Plugin {
  return {
    name: 'vgpu:budget',
    apply: 'build',
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).filter((one) => one.type === 'chunk');
      const byName = new Map(chunks.map((one) => [one.fileName, one]));
      const size = (names: Iterable<string>) =>
        [...names].reduce((sum, name) => sum + gzipSync(byName.get(name)?.code ?? '').length, 0);
      const reach = (name: string, seen = new Set<string>()): Set<string> => {
        if (seen.has(name)) return seen;
        seen.add(name);
        for (const next of byName.get(name)?.imports ?? []) reach(next, seen);
        return seen;
      };
      const entry = chunks.find((one) => one.isEntry);
      if (!entry) return;
      const base = reach(entry.fileName);
      let worst = { page: '', bytes: size(base) };
      for (const page of entry.dynamicImports) {
        const bytes = size(reach(page, new Set(base)));
        if (bytes > worst.bytes) worst = { page, bytes };
      }
      const text = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;
      this.info(
        `first load: ${text(size(base))} gzip; with its largest page (${worst.page}): ${text(worst.bytes)}`,
      );
      if (worst.bytes > limit)
        this.error(`the first load is ${text(worst.bytes)} of gzip, over ${text(limit)}`);
    },
  };
}
