import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { build, type Plugin } from 'esbuild';

export interface Bundle {
  /** Name of the result in dist/, without `.mjs`. */
  name: string;
  /** Entry file, relative to the root. */
  entry: string;
  /** Packages from npm that go into the bundle; the others stay imports. */
  inline: readonly string[];
}

/**
 * Keeps `import.meta.url` (and dirname, filename) of every source file what they are when the file runs by itself,
 * so that code may find the files beside it, bundled or not.
 */
function keepLocations(root: string): Plugin {
  return {
    name: 'keep-locations',
    setup(setup) {
      setup.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const text = readFileSync(path, 'utf8');
        if (path.includes('/node_modules/') || !text.includes('import.meta.')) return undefined;
        const url = `new URL(${JSON.stringify(relative(root, path))}, __vgpuRoot)`;
        const contents = text
          .replace(/import\.meta\.resolve\((['"]\.[^'"]*['"])\)/g, `new URL($1, ${url}).href`)
          .replaceAll('import.meta.url', `${url}.href`)
          .replaceAll('import.meta.filename', `__vgpuPath(${url})`)
          .replaceAll('import.meta.dirname', `__vgpuPath(new URL('.', ${url})).slice(0, -1)`);
        return { contents, loader: 'ts' };
      });
    },
  };
}

/** Leaves packages from npm as imports, but for those that are to be inlined. */
function externals(inline: readonly string[]): Plugin {
  return {
    name: 'externals',
    setup(setup) {
      setup.onResolve({ filter: /^[^./]/ }, ({ path, kind, importer }) => {
        if (kind === 'entry-point' || path.startsWith('@vgpu/') || path.startsWith('node:')) return undefined;
        if (importer.includes('/node_modules/')) return undefined; // part of a package that is inlined
        const name = path.split('/', path.startsWith('@') ? 2 : 1).join('/');
        return inline.includes(name) ? undefined : { path, external: true };
      });
    },
  };
}

/** Chunks are named by content and kept for a while, since a running server may still load one lazily. */
const keptDays = 14;

function sweepChunks(folder: string, current: ReadonlySet<string>): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const old = Date.now() - statSync(path).mtimeMs > keptDays * 86_400_000;
    if (!current.has(path) && old) rmSync(path, { force: true });
  }
}

/** Bundles one program into dist/<name>.mjs and its lazily loaded chunks; files appear whole or not at all. */
export async function bundle(root: string, { name, entry, inline }: Bundle): Promise<void> {
  const dist = join(root, 'dist');
  const result = await build({
    absWorkingDir: root,
    entryPoints: { [name]: entry },
    outdir: dist,
    outExtension: { '.js': '.mjs' },
    chunkNames: `chunks/${name}-[hash]`,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.18',
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    write: false,
    logLevel: 'error',
    banner: {
      js: [
        "import { createRequire as __vgpuRequire } from 'node:module';",
        "import { fileURLToPath as __vgpuPath } from 'node:url';",
        'const require = __vgpuRequire(import.meta.url);',
        "const __vgpuRoot = new URL(import.meta.url.includes('/chunks/') ? '../../' : '../', import.meta.url);",
      ].join('\n'),
    },
    plugins: [keepLocations(root), externals(inline)],
  });
  mkdirSync(join(dist, 'chunks'), { recursive: true });
  // The entry comes last: once it stands, everything that it loads is there.
  const files = result.outputFiles.sort(
    (a, b) => Number(dirname(a.path) === dist) - Number(dirname(b.path) === dist),
  );
  for (const file of files) {
    const temporary = join(dist, `.${basename(file.path)}.${process.pid}`);
    writeFileSync(temporary, file.contents);
    renameSync(temporary, file.path);
  }
  sweepChunks(join(dist, 'chunks'), new Set(files.map((file) => file.path)));
}
