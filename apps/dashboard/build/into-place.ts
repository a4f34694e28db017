import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Plugin } from 'vite';

/**
 * Puts a finished build in place of the former one at once: a server that serves it never finds half of one, and two
 * builds at a time do not mix.
 * @param staging where Vite writes, relative to the app; `target` where the page is served from.
 */
export function intoPlace(staging: string, target: string): Plugin {
  let root = '';
  let active = false;
  return {
    name: 'vgpu:into-place',
    apply: 'build',
    enforce: 'post',
    configResolved: (config) => {
      root = config.root;
      active = config.build.outDir === staging; // not where --outDir names another place
    },
    closeBundle: {
      order: 'post',
      sequential: true,
      handler: (error?: Error) => {
        const from = resolve(root, staging);
        if (!active || error || !existsSync(join(from, 'index.html'))) return;
        const to = resolve(root, target);
        const former = `${from}-former`;
        mkdirSync(dirname(to), { recursive: true });
        if (existsSync(to)) renameSync(to, former);
        renameSync(from, to);
        rmSync(former, { recursive: true, force: true });
      },
    },
  };
}
