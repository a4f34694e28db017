import { spawn } from 'node:child_process';
import { lstat } from 'node:fs/promises';
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
  // This layer's own files alone: what an earlier layer compiled stays as that layer has it.
  const files = [...tree.nodes.entries()]
    .filter(
      ([name, node]) =>
        node.type === 'file' && node.layer === layer && name.startsWith(`${folder}/`) && name.endsWith('.py'),
    )
    .map(([name]) => name)
    .sort();
  const program = [
    'import py_compile, sys, warnings',
    "warnings.simplefilter('ignore')",
    'root = sys.argv[1]',
    "for name in sys.stdin.read().split('\\n'):",
    '    try:',
    "        py_compile.compile(root + '/' + name, dfile='/' + name, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)",
    '    except Exception as e:',
    "        print('not compiled:', name, str(e).splitlines()[0][:200])",
  ].join('\n');
  await new Promise<void>((resolve, reject) => {
    const args = ['--library-path', lib, interpreter, '-S', '-c', program, tree.root];
    // No inherited environment: nothing of this machine may shape the bytes.
    const child = spawn(join(lib, loader), args, {
      env: {
        PYTHONHASHSEED: '0',
        PYTHONHOME: join(tree.root, 'usr'),
        LC_ALL: 'C.UTF-8',
        PYTHONNOUSERSITE: '1',
        PYTHONSAFEPATH: '1',
      },
      stdio: ['pipe', 'pipe', 'pipe'],
      signal: options.signal,
    });
    child.stdin.on('error', () => {});
    child.stdin.end(files.join('\n'));
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
  for (const name of files) await adopt(tree, layer, name, options.python);
}

/** Takes a compiled file into the tree; one that could not be compiled has none. */
async function adopt(tree: RootTree, layer: string, source: string, python: string): Promise<void> {
  const at = source.lastIndexOf('/');
  const folder = `${source.slice(0, at)}/__pycache__`;
  const name = `${folder}/${source.slice(at + 1, -3)}.cpython-${python.replace('.', '')}.pyc`;
  const stat = await lstat(join(tree.root, name)).catch(() => undefined);
  if (!stat) return;
  if (!tree.nodes.has(folder)) tree.nodes.set(folder, { type: 'directory', mode: 0o755, layer });
  tree.nodes.set(name, { type: 'file', mode: 0o644, size: stat.size, layer });
}
