import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RootTree } from './root-tree.ts';

/** User and group of everything in a worker. */
export const WORKER_UID = 10001;

/**
 * What Debian's maintainer scripts would have made, written here so that none has to run: accounts, the
 * merged-/usr links, the shell, the CA bundle, name resolution and the folders that vgpu mounts over.
 */
export async function writeBaseFiles(tree: RootTree, layer: string, python: string): Promise<void> {
  for (const [link, to] of [
    ['bin', 'usr/bin'],
    ['sbin', 'usr/sbin'],
    ['lib', 'usr/lib'],
    ['lib64', 'usr/lib64'],
  ] as const) {
    await tree.symlink(link, to, layer);
  }
  const accounts = `root:x:0:0:root:/root:/usr/sbin/nologin\nworker:x:${WORKER_UID}:${WORKER_UID}:worker:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n`;
  await tree.file('etc/passwd', 0o644, layer, Buffer.from(accounts));
  await tree.file(
    'etc/group',
    0o644,
    layer,
    Buffer.from(`root:x:0:\nworker:x:${WORKER_UID}:\nnogroup:x:65534:\n`),
  );
  await tree.file(
    'etc/nsswitch.conf',
    0o644,
    layer,
    Buffer.from('passwd: files\ngroup: files\nhosts: files dns\n'),
  );
  await tree.symlink('usr/bin/sh', 'dash', layer);
  await tree.symlink('usr/bin/awk', 'mawk', layer);
  await tree.symlink('usr/bin/python3', `python${python}`, layer);
  await tree.symlink('usr/bin/python', 'python3', layer);
  for (const [path, mode] of [
    ['tmp', 0o1777],
    ['run', 0o755],
    ['proc', 0o755],
    ['sys', 0o755],
    ['dev', 0o755],
    ['root', 0o700],
  ] as const) {
    await tree.directory(path, mode, layer);
  }
  for (const name of ['in', 'out', 'ctl', 'runtime']) await tree.directory(`vgpu/${name}`, 0o755, layer);
  await writeCaBundle(tree, layer);
}

/** `update-ca-certificates`, without its run: Mozilla's certificates in one file. */
async function writeCaBundle(tree: RootTree, layer: string): Promise<void> {
  const names = [...tree.nodes.keys()].filter((n) => /^usr\/share\/ca-certificates\/.*\.crt$/.test(n)).sort();
  if (names.length === 0) return;
  const parts = await Promise.all(
    names.map(async (n) => `${(await readFile(join(tree.root, n), 'utf8')).trim()}\n`),
  );
  await tree.file('etc/ssl/certs/ca-certificates.crt', 0o644, layer, Buffer.from(parts.join('')));
  await tree.symlink('usr/lib/ssl/certs', '/etc/ssl/certs', layer);
  await tree.symlink('usr/lib/ssl/cert.pem', '/etc/ssl/certs/ca-certificates.crt', layer);
}
