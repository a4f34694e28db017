import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DriverError } from '../errors.ts';
import { decompressXz } from './deb.ts';
import { type Architecture, imagesDir, lineage } from './definition.ts';
import { fetchBytes } from './download.ts';
import { type ImageLock, type LockedDeb, type LockedWheel, readLock } from './lock.ts';
import { closure, parsePackages } from './packages-index.ts';
import { canonicalName, neededBy } from './requirement.ts';

const MIRROR = 'https://deb.debian.org/debian';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * Chooses the newest versions of a definition's inputs and pins them: Debian packages from the suite's signed
 * index, wheels from PyPI. Does not write; see `writeLock`.
 */
export async function relock(
  name: string,
  options: {
    architectures?: Architecture[];
    dir?: string;
    mirror?: string;
    onProgress?: (line: string) => void;
    now?: Date;
  } = {},
): Promise<ImageLock> {
  const dir = options.dir ?? imagesDir();
  const mirror = options.mirror ?? MIRROR;
  const chain = await lineage(name, dir);
  const definition = chain.at(-1)!;
  const parents = await Promise.all(chain.slice(0, -1).map((d) => readLock(d.name, dir)));
  const lock: ImageLock = {
    format: 1,
    created: new Date(Math.floor((options.now ?? new Date()).getTime() / 1000) * 1000).toISOString(),
    mirror,
    architectures: {},
  };
  for (const architecture of options.architectures ?? ['amd64', 'arm64']) {
    const debs: LockedDeb[] = [];
    const wheels: LockedWheel[] = [];
    const inherited = new Set(
      parents.flatMap((p) => p.architectures[architecture]?.debs.map((d) => d.name) ?? []),
    );
    const inheritedWheels = new Set(
      parents.flatMap((p) => p.architectures[architecture]?.wheels.map((w) => canonicalName(w.name)) ?? []),
    );
    const wantsDebs = definition.layers.some((l) => l.debs);
    const index = wantsDebs
      ? parsePackages(await signedIndex(mirror, definition.suite, architecture, options.onProgress))
      : undefined;
    for (const layer of definition.layers) {
      if (layer.debs && index) {
        for (const p of closure(index, layer.debs, new Set([...(layer.without ?? []), ...inherited]))) {
          inherited.add(p.name);
          debs.push({
            layer: layer.name,
            name: p.name,
            version: p.version,
            path: p.filename,
            size: p.size,
            sha256: p.sha256,
          });
        }
      }
      const pending = [...(layer.wheels ?? [])];
      for (let wheel = pending.shift(); wheel; wheel = pending.shift()) {
        const name = canonicalName(wheel);
        if (inheritedWheels.has(name)) continue;
        inheritedWheels.add(name);
        options.onProgress?.(`${architecture}: ${wheel}`);
        const { requires, ...chosen } = await chooseWheel(wheel, definition.python, architecture);
        wheels.push({ layer: layer.name, ...chosen });
        pending.push(...neededBy(requires, definition.python));
      }
    }
    wheels.sort((a, b) => (a.name < b.name ? -1 : 1));
    lock.architectures[architecture] = { debs, wheels };
  }
  return lock;
}

/** The suite's package index, checked against InRelease, whose signature is checked where gpgv and a keyring are. */
async function signedIndex(
  mirror: string,
  suite: string,
  architecture: string,
  say?: (line: string) => void,
): Promise<string> {
  const release = await fetchBytes(`${mirror}/dists/${suite}/InRelease`);
  await verifySignature(release, say);
  const path = `main/binary-${architecture}/Packages.xz`;
  const sums = release.toString('utf8').split(/^SHA256:\n/m)[1] ?? '';
  const line = sums.split('\n').find((l) => l.trim().split(/\s+/)[2] === path);
  if (!line) throw new DriverError('BUILD_FAILED', `${suite} at ${mirror} lists no ${path}`);
  const packed = await fetchBytes(`${mirror}/dists/${suite}/${path}`);
  const expected = line.trim().split(/\s+/)[0];
  if (createHash('sha256').update(packed).digest('hex') !== expected) {
    throw new DriverError(
      'BUILD_FAILED',
      `${path} differs from what the signed InRelease says`,
      'The mirror may be in the middle of an update: try again.',
    );
  }
  return (await decompressXz(packed)).toString('utf8');
}

async function verifySignature(release: Buffer, say?: (line: string) => void): Promise<void> {
  if (!existsSync(KEYRING) || !existsSync('/usr/bin/gpgv')) {
    say?.('warning: no gpgv or Debian keyring here; the index is trusted as HTTPS delivered it');
    return;
  }
  const scratch = await mkdtemp(join(tmpdir(), 'vgpu-lock-'));
  try {
    await writeFile(join(scratch, 'InRelease'), release);
    await new Promise<void>((resolve, reject) => {
      const child = spawn('/usr/bin/gpgv', ['--keyring', KEYRING, join(scratch, 'InRelease')], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let said = '';
      child.stderr.on('data', (d) => {
        said += d;
      });
      child.on('error', reject);
      child.on('close', (code) =>
        code === 0
          ? resolve()
          : reject(
              new DriverError(
                'BUILD_FAILED',
                `InRelease is not signed by Debian: ${said.trim().slice(-400)}`,
              ),
            ),
      );
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

interface PypiFile {
  filename: string;
  packagetype: string;
  url: string;
  size: number;
  digests: { sha256: string };
  yanked: boolean;
}

async function chooseWheel(
  wanted: string,
  python: string,
  architecture: Architecture,
): Promise<Omit<LockedWheel, 'layer'> & { requires: string[] }> {
  const [name, held] = wanted.split('==') as [string, string?];
  const document = JSON.parse(
    (await fetchBytes(`https://pypi.org/pypi/${name}/${held ? `${held}/` : ''}json`)).toString('utf8'),
  ) as {
    info: { version: string; requires_dist: string[] | null };
    urls: PypiFile[];
  };
  const tag = `cp${python.replace('.', '')}`;
  const machine = architecture === 'amd64' ? 'x86_64' : 'aarch64';
  // abi3 wheels of an older Python run on every later one.
  const fits = (f: PypiFile) => {
    const [, abi, platform] = f.filename
      .replace(/\.whl$/, '')
      .split('-')
      .slice(-3) as [string, string, string];
    const interpreter =
      f.filename
        .replace(/\.whl$/, '')
        .split('-')
        .at(-3) ?? '';
    if (f.packagetype !== 'bdist_wheel' || f.yanked) return false;
    if (platform === 'any') return interpreter.split('.').includes('py3');
    const rightPlatform = platform.includes('manylinux') && platform.includes(machine);
    return (
      rightPlatform &&
      ((interpreter === tag && abi === tag) || (abi === 'abi3' && interpreter.startsWith('cp3')))
    );
  };
  const best = document.urls
    .filter(fits)
    .sort(
      (a, b) =>
        Number(b.filename.includes(tag)) - Number(a.filename.includes(tag)) ||
        (a.filename < b.filename ? -1 : 1),
    )[0];
  if (!best) {
    throw new DriverError(
      'BUILD_FAILED',
      `PyPI has no wheel of ${name} ${document.info.version} for Python ${python} on ${architecture}`,
      `Hold an older one in image.json: "${name}==…".`,
    );
  }
  return {
    name,
    version: document.info.version,
    url: canonicalUrl(best.url),
    size: best.size,
    sha256: best.digests.sha256,
    requires: document.info.requires_dist ?? [],
  };
}

/** A proxying index may answer with an address of its own; the lock keeps the one that holds everywhere. */
function canonicalUrl(url: string): string {
  const path = /packages\/([0-9a-f]{2}\/[0-9a-f]{2}\/[0-9a-f]+\/[^/?#]+)$/.exec(url)?.[1];
  return path ? `https://files.pythonhosted.org/packages/${path}` : url;
}
