import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { rootCertificates } from 'node:tls';
import { EnvHttpProxyAgent, fetch } from 'undici';
import { DriverError } from '../errors.ts';

/** Variables under which sites announce a CA bundle of their own, in the order in which they win. */
const CA_VARIABLES = [
  'VGPU_CA_BUNDLE',
  'SSL_CERT_FILE',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  'PIP_CERT',
  'NODE_EXTRA_CA_CERTS',
];

/** The host's CA bundle: the first variable that names a file, else the distribution's own. */
export function hostCaBundle(): string | undefined {
  const candidates = [
    ...CA_VARIABLES.map((v) => process.env[v]),
    '/etc/ssl/certs/ca-certificates.crt',
    '/etc/pki/tls/certs/ca-bundle.crt',
  ];
  return candidates.find((path): path is string => !!path && existsSync(path));
}

/** The bundle only where the site announces one of its own: builds elsewhere need nothing added. */
export function siteCaBundle(): string | undefined {
  return CA_VARIABLES.map((v) => process.env[v]).find((path): path is string => !!path && existsSync(path));
}

let shared: EnvHttpProxyAgent | undefined;

/** One agent that honours HTTP(S)_PROXY, NO_PROXY and the host's CA bundle. */
function agent(): EnvHttpProxyAgent {
  if (!shared) {
    const bundle = hostCaBundle();
    const ca = bundle ? [...rootCertificates, readFileSync(bundle, 'utf8')] : undefined;
    shared = new EnvHttpProxyAgent({
      connect: { ca, timeout: 30_000 },
      requestTls: { ca },
      proxyTls: { ca },
    });
  }
  return shared;
}

/** Fetches a small document. Throws DOWNLOAD_FAILED. */
export async function fetchBytes(url: string, signal?: AbortSignal): Promise<Buffer> {
  const response = await open(url, signal);
  return Buffer.from(await response.arrayBuffer());
}

async function open(url: string, signal?: AbortSignal) {
  let response: Awaited<ReturnType<typeof fetch>>;
  try {
    response = await fetch(url, { dispatcher: agent(), signal });
  } catch (cause) {
    if (signal?.aborted) throw new DriverError('ABORTED', 'stopped', '', { cause });
    const why = (cause as Error & { cause?: Error }).cause?.message ?? (cause as Error).message;
    throw new DriverError(
      'DOWNLOAD_FAILED',
      `cannot reach ${url}: ${why}`,
      'Check the network, HTTPS_PROXY, and the CA bundle (VGPU_CA_BUNDLE).',
      { cause },
    );
  }
  if (!response.ok) {
    await response.body?.cancel();
    throw new DriverError(
      'DOWNLOAD_FAILED',
      `${url} answered ${response.status} ${response.statusText}`,
      '',
      { status: response.status },
    );
  }
  return response;
}

/**
 * Brings a file whose SHA-256 is known into `cacheDir`, from the first of `urls` that has it, and returns its
 * path. A cached file is trusted by its name: it was renamed into place only once its hash was checked.
 * Throws DOWNLOAD_FAILED (with the last status) when no address has it or the bytes differ.
 */
export async function download(
  urls: string[],
  sha256: string,
  cacheDir: string,
  options: { signal?: AbortSignal; onBytes?: (n: number) => void } = {},
): Promise<string> {
  const target = join(cacheDir, sha256.slice(0, 2), sha256);
  if (existsSync(target)) return target;
  await mkdir(dirname(target), { recursive: true });
  let last: unknown;
  for (const url of urls) {
    for (let attempt = 0; attempt < 3; attempt++) {
      const partial = `${target}.${process.pid}.${Math.random().toString(36).slice(2)}.part`;
      try {
        const response = await open(url, options.signal);
        const hash = createHash('sha256');
        const source = Readable.fromWeb(response.body as never);
        source.on('data', (chunk: Buffer) => {
          hash.update(chunk);
          options.onBytes?.(chunk.length);
        });
        await pipeline(source, createWriteStream(partial), { signal: options.signal });
        const got = hash.digest('hex');
        if (got !== sha256) {
          throw new DriverError(
            'DOWNLOAD_FAILED',
            `${url} has SHA-256 ${got}, the lock says ${sha256}`,
            'The file changed at its source. Relock: vgpu image lock',
          );
        }
        await rename(partial, target);
        return target;
      } catch (error) {
        await rm(partial, { force: true });
        last = error;
        if (options.signal?.aborted) throw new DriverError('ABORTED', 'stopped', '', { cause: error });
        // A definite answer will not change by asking again.
        if (error instanceof DriverError && error.status && error.status < 500) break;
      }
    }
  }
  if (last instanceof DriverError) throw last;
  throw new DriverError('DOWNLOAD_FAILED', `cannot download ${urls[0]}: ${(last as Error)?.message}`, '', {
    cause: last,
  });
}

/** SHA-256 of a file, hex. */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
