import { readFileSync } from 'node:fs';
import { opendir, readFile, readlink, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Readable } from 'node:stream';
import * as tar from 'tar-stream';
import type { EngineClient } from '../docker/client.ts';
import { jsonLines } from '../docker/json-lines.ts';
import { DriverError } from '../errors.ts';
import type { BuildOptions } from './build.ts';
import { siteCaBundle } from './download.ts';

const PROXY_VARIABLES = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'ALL_PROXY',
  'all_proxy',
];
const MAX_CONTEXT_FILES = 50_000;
const CA_NAME = '.vgpu-ca-bundle.crt';
const CA_PATH = '/etc/vgpu-ca-bundle.crt';

/**
 * Builds a Dockerfile through the engine's own builder, and decodes its output as it streams. The host's proxy
 * variables are build arguments; a CA bundle of the site's own is made known to pip, curl and OpenSSL in every
 * stage, for the build alone. Throws BUILD_FAILED with the failing step and its last lines.
 */
export async function buildDockerfile(
  client: EngineClient,
  image: string,
  dockerfile: string,
  options: BuildOptions & { contextDir?: string },
): Promise<void> {
  const bundle = siteCaBundle();
  const text = bundle ? withCaBundle(dockerfile) : dockerfile;
  const buildargs = Object.fromEntries(
    PROXY_VARIABLES.flatMap((v) => (process.env[v] ? [[v, process.env[v]]] : [])),
  );
  const query = {
    t: image,
    rm: true,
    forcerm: true,
    // The engine may have no default bridge; what a build fetches takes the host's own way out.
    networkmode: 'host',
    buildargs: JSON.stringify(buildargs),
    labels: JSON.stringify({ 'dev.vgpu.managed': 'true' }),
  };
  const stream = await client.stream('POST', '/build', {
    query,
    stream: context(text, bundle, options.contextDir),
    signal: options.signal,
    timeoutMs: 0,
  });
  let step = 'start';
  const last: string[] = [];
  for await (const line of jsonLines<{ stream?: string; status?: string; error?: string }>(stream)) {
    if (line.error) throw new DriverError('BUILD_FAILED', `${step}: ${line.error}\n${last.join('\n')}`);
    for (const part of (line.stream ?? line.status ?? '').split(/[\r\n]+/).filter((l) => l.trim())) {
      if (/^Step \d+\/\d+ : /.test(part)) {
        step = part;
        last.length = 0;
      } else last.push(part);
      if (last.length > 20) last.shift();
      options.onProgress?.({ step: 'build', message: part });
    }
  }
}

/** Adds the bundle after each FROM. `ARG` reaches RUN but does not stay in the image's environment. */
export function withCaBundle(dockerfile: string): string {
  const lines = [
    `COPY ${CA_NAME} ${CA_PATH}`,
    ...['PIP_CERT', 'SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'].map(
      (v) => `ARG ${v}=${CA_PATH}`,
    ),
  ];
  const out: string[] = [];
  let from = false;
  for (const line of dockerfile.split('\n')) {
    out.push(line);
    if (/^\s*FROM\s/i.test(line)) from = true;
    // FROM may go on over a backslash.
    if (from && !/\\\s*$/.test(line)) {
      out.push(...lines);
      from = false;
    }
  }
  return out.join('\n');
}

function context(dockerfile: string, bundle: string | undefined, dir?: string): Readable {
  const pack = tar.pack();
  const fill = async () => {
    pack.entry({ name: 'Dockerfile' }, dockerfile);
    if (bundle) pack.entry({ name: CA_NAME }, readFileSync(bundle));
    if (dir) await addTree(pack, dir, dir, { left: MAX_CONTEXT_FILES });
    pack.finalize();
  };
  fill().catch((error) => pack.destroy(error as Error));
  return Readable.from(pack as unknown as AsyncIterable<Buffer>, { objectMode: false });
}

async function addTree(pack: tar.Pack, root: string, dir: string, budget: { left: number }): Promise<void> {
  for await (const entry of await opendir(dir)) {
    if (--budget.left < 0)
      throw new DriverError(
        'BUILD_FAILED',
        `the build's folder ${root} has more than ${MAX_CONTEXT_FILES} files`,
      );
    const path = join(dir, entry.name);
    const name = relative(root, path);
    if (name === 'Dockerfile' || name === CA_NAME || entry.name === '.git') continue;
    if (entry.isDirectory()) await addTree(pack, root, path, budget);
    else if (entry.isSymbolicLink()) pack.entry({ name, type: 'symlink', linkname: await readlink(path) });
    else if (entry.isFile())
      pack.entry({ name, mode: (await stat(path)).mode & 0o777 }, await readFile(path));
  }
}
