import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DriverError } from '../errors.ts';
import type { Architecture } from './definition.ts';
import type { RootTree } from './root-tree.ts';

/**
 * Compiles the Python files under `folder` with the image's own interpreter, run from the unpacked tree by the
 * tree's own loader: no root, no chroot, no container. `unchecked-hash` files hold no time, a fixed hash seed
 * and one process in sorted order make their bytes the same on every machine.
 */
export async function compilePython(
  tree: RootTree,
  layer: string,
  folder: string,
  options: {
    python: string;
    architecture: Architecture;
    signal?: AbortSignal;
    onLine?: (line: string) => void;
  },
): Promise<void> {
  const machine = options.architecture === 'amd64' ? 'x86_64' : 'aarch64';
  const loader = options.architecture === 'amd64' ? 'ld-linux-x86-64.so.2' : 'ld-linux-aarch64.so.1';
  const lib = join(tree.root, `usr/lib/${machine}-linux-gnu`);
  const interpreter = join(tree.root, `usr/bin/python${options.python}`);
  const program = [
    'import compileall, os, py_compile, sys, warnings',
    "warnings.simplefilter('ignore')",
    'root, folder = sys.argv[1], sys.argv[2]',
    "skip = ('lib2to3/tests', '/templates/')",
    'for where, folders, files in os.walk(os.path.join(root, folder)):',
    '    folders.sort()',
    "    if folder == 'usr/lib/python%d.%d' % sys.version_info[:2] and 'dist-packages' in folders: folders.remove('dist-packages')",
    '    for name in sorted(files):',
    "        if not name.endswith('.py'): continue",
    '        path = os.path.join(where, name)',
    '        try: py_compile.compile(path, dfile=path[len(root):], doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)',
    "        except Exception as e: print('not compiled:', path[len(root):], str(e).splitlines()[0][:200])",
  ].join('\n');
  await new Promise<void>((resolve, reject) => {
    const args = ['--library-path', lib, interpreter, '-I', '-S', '-c', program, tree.root, folder];
    // No inherited environment: nothing of this machine may shape the bytes. -I ignores PYTHON* but the seed must
    // be fixed, so the interpreter is told by -X only where it can; PYTHONHOME comes through the loader's child.
    const child = spawn(
      join(lib, loader),
      args.filter((a) => a !== '-I'),
      {
        env: {
          PYTHONHASHSEED: '0',
          PYTHONHOME: join(tree.root, 'usr'),
          LC_ALL: 'C.UTF-8',
          PYTHONNOUSERSITE: '1',
          PYTHONSAFEPATH: '1',
        },
        stdio: ['ignore', 'pipe', 'pipe'],
        signal: options.signal,
      },
    );
    let last = '';
    const take = (d: Buffer) => {
      last = (last + d.toString('utf8')).slice(-4000);
      for (const line of d.toString('utf8').split('\n')) if (line.trim()) options.onLine?.(line);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (cause) =>
      reject(
        new DriverError(
          options.signal?.aborted ? 'ABORTED' : 'BUILD_FAILED',
          `cannot run the image's Python: ${cause.message}`,
          '',
          { cause },
        ),
      ),
    );
    child.on('close', (code) =>
      code === 0
        ? resolve()
        : reject(new DriverError('BUILD_FAILED', `compiling ${folder} failed (${code}):\n${last.trim()}`)),
    );
  });
  await adopt(tree, layer, folder);
}

/** Takes the compiled files into the tree. */
async function adopt(tree: RootTree, layer: string, folder: string): Promise<void> {
  const walk = async (path: string): Promise<void> => {
    for (const entry of await readdir(join(tree.root, path), { withFileTypes: true })) {
      const name = `${path}/${entry.name}`;
      if (entry.isDirectory()) await walk(name);
      else if (entry.isFile() && name.endsWith('.pyc') && !tree.nodes.has(name)) {
        const parent = name.slice(0, name.lastIndexOf('/'));
        if (!tree.nodes.has(parent)) tree.nodes.set(parent, { type: 'directory', mode: 0o755, layer });
        let size = 0;
        for await (const chunk of createReadStream(join(tree.root, name))) size += (chunk as Buffer).length;
        tree.nodes.set(name, { type: 'file', mode: 0o644, size, layer });
      }
    }
  };
  await walk(folder);
}
