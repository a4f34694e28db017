import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, readdirSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineClient } from '../docker/client.ts';
import { EngineContainers } from '../docker/engine-containers.ts';
import { DriverError } from '../errors.ts';
import { LABEL } from '../types.ts';
import { WORKER_UID } from './base-files.ts';
import type { BuildOptions, BuiltImage } from './build.ts';
import { hostCaBundle } from './download.ts';
import { followLogs } from './follow-logs.ts';
import { RootTree } from './root-tree.ts';

const PASSED_ON =
  /^(https?_proxy|no_proxy|all_proxy|PIP_INDEX_URL|PIP_EXTRA_INDEX_URL|PIP_TRUSTED_HOST|PIP_DEFAULT_TIMEOUT)$/i;

/**
 * The base image and what a requirements file asks for, as one more layer. pip runs in a worker container of the
 * base image, as nobody in particular, with wheels only, so that no package's code runs; the result is written as
 * a normalised layer: the same resolved versions give the same image. Throws BUILD_FAILED with pip's last lines.
 */
export async function buildRequirements(
  client: EngineClient,
  name: string,
  base: BuiltImage,
  requirements: string,
  options: BuildOptions,
): Promise<BuiltImage> {
  const scratch = await mkdtemp(join(options.cacheDir, 'build-'));
  try {
    const target = join(scratch, 'target');
    await mkdir(target);
    await chmod(scratch, 0o755);
    await chmod(target, 0o777);
    await writeFile(join(scratch, 'requirements.txt'), requirements, { mode: 0o644 });
    await runPip(client, base, scratch, options);
    options.signal?.throwIfAborted();
    options.onProgress?.({ step: 'pack', message: `${name}: packing` });
    const tree = new RootTree(join(scratch, 'root'));
    for (const folder of findFolders(target, /^(dist|site)-packages$/))
      await take(tree, folder, `usr/local/lib/python${pythonOf(folder)}/dist-packages`, name);
    for (const folder of findFolders(target, /^bin$/)) await take(tree, folder, 'usr/local/bin', name);
    const config = JSON.parse(base.config) as {
      created: string;
      config: { Labels: Record<string, string> };
      history: object[];
      rootfs: { diff_ids: string[] };
    };
    const temporary = join(scratch, 'layer.tar');
    const { sha256, size } = await tree.writeLayer(name, new Date(config.created), temporary, options.signal);
    const path = join(options.cacheDir, 'layers', `${sha256}.tar`);
    await rename(temporary, path);
    config.config.Labels = {
      ...config.config.Labels,
      [LABEL.image]: name,
      'org.opencontainers.image.title': name,
    };
    config.history.push({
      created: config.created,
      created_by: `vgpu image build ${name} -f requirements.txt`,
    });
    config.rootfs.diff_ids.push(`sha256:${sha256}`);
    const text = JSON.stringify(config);
    const id = `sha256:${createHash('sha256').update(text).digest('hex')}`;
    return {
      name,
      id,
      tag: `vgpu/${name}:latest`,
      config: text,
      layers: [...base.layers, { sha256, size, path }],
      cached: false,
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function runPip(
  client: EngineClient,
  base: BuiltImage,
  scratch: string,
  options: BuildOptions,
): Promise<void> {
  const containers = new EngineContainers(client);
  const bundle = hostCaBundle();
  const env = Object.entries(process.env).flatMap(([k, v]) => (PASSED_ON.test(k) && v ? [`${k}=${v}`] : []));
  const script = [
    'set -e',
    'python3 -m pip install --no-input --disable-pip-version-check --no-cache-dir --no-compile --only-binary :all: --prefix /work/target -r /work/requirements.txt',
    // Compiled as if it already lay where it will.
    'for d in $(find /work/target -type d -name "*-packages"); do',
    '  v=$(basename "$(dirname "$d")"); python3 -m compileall -q -j 1 --invalidation-mode unchecked-hash -s "$d" -p "/usr/local/lib/$v/dist-packages" "$d" || true',
    'done',
  ].join('\n');
  const id = await containers.create(`vgpu-build-${randomBytes(6).toString('hex')}`, {
    Image: base.id,
    Entrypoint: ['sh', '-c', script],
    Cmd: [],
    User: `${WORKER_UID}:${WORKER_UID}`,
    WorkingDir: '/work',
    Env: [
      ...env,
      'HOME=/tmp',
      'PYTHONHASHSEED=0',
      'PYTHONUNBUFFERED=1',
      ...(bundle ? ['PIP_CERT=/work/ca.crt', 'SSL_CERT_FILE=/work/ca.crt'] : []),
    ],
    Labels: { [LABEL.managed]: 'true', [LABEL.role]: 'build' },
    HostConfig: {
      // The host's own way out: proxies on loopback and engines without a bridge included.
      NetworkMode: 'host',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      PidsLimit: 256,
      Tmpfs: { '/tmp': 'rw,nosuid,nodev' },
      Binds: [`${scratch}:/work`, ...(bundle ? [`${bundle}:/work/ca.crt:ro`] : [])],
    },
  });
  try {
    if (bundle) await writeFile(join(scratch, 'ca.crt'), '');
    await containers.start(id, options.signal);
    const last: string[] = [];
    await followLogs(client, id, options.signal, (line) => {
      last.push(line);
      if (last.length > 20) last.shift();
      options.onProgress?.({ step: 'build', message: line });
    });
    const { StatusCode } = await client.json<{ StatusCode: number }>('POST', `/containers/${id}/wait`, {
      timeoutMs: 0,
      signal: options.signal,
    });
    if (StatusCode !== 0) {
      const wheel = last.some((l) =>
        /No matching distribution|only-binary|Could not find a version/i.test(l),
      );
      throw new DriverError(
        'BUILD_FAILED',
        `step "pip install" failed (${StatusCode}):\n${last.join('\n')}`,
        wheel
          ? 'Only wheels are installed from a requirements file. A package that must be compiled needs a Dockerfile.'
          : '',
      );
    }
  } finally {
    await containers.remove(id);
  }
}

function pythonOf(folder: string): string {
  return /python(\d+\.\d+)/.exec(folder)?.[1] ?? '3';
}

function findFolders(root: string, name: RegExp): string[] {
  const all = readdirSync(root, { withFileTypes: true, recursive: true });
  return all
    .filter(
      (e) =>
        e.isDirectory() &&
        name.test(e.name) &&
        !/-packages\/./.test(join(e.parentPath, e.name).slice(root.length)),
    )
    .map((e) => join(e.parentPath, e.name))
    .sort();
}

async function take(tree: RootTree, folder: string, into: string, layer: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const [from, to] = [join(folder, entry.name), `${into}/${entry.name}`];
    if (entry.isDirectory()) await take(tree, from, to, layer);
    else if (entry.isFile() && entry.name !== 'direct_url.json')
      await tree.file(to, (await stat(from)).mode, layer, createReadStream(from), { keepCompiled: true });
  }
}
