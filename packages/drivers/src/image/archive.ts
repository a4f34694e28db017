import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as tar from 'tar-stream';
import type { BuiltImage } from './build.ts';

/**
 * A built image as one tar that both worlds read: an OCI layout (index, manifest, blobs) that is also what
 * `docker load` expects (`manifest.json`). Streams; the layers are never in memory.
 */
export function imageArchive(image: BuiltImage, tags: string[] = [image.tag]): Readable {
  const pack = tar.pack();
  const config = Buffer.from(image.config);
  const blob = (sha256: string) => `blobs/sha256/${sha256}`;
  const configDigest = createHash('sha256').update(config).digest('hex');
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: `sha256:${configDigest}`,
        size: config.length,
      },
      layers: image.layers.map((l) => ({
        mediaType: 'application/vnd.oci.image.layer.v1.tar',
        digest: `sha256:${l.sha256}`,
        size: l.size,
      })),
    }),
  );
  const manifestDigest = createHash('sha256').update(manifest).digest('hex');
  const index = {
    schemaVersion: 2,
    manifests: tags.map((tag) => ({
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: `sha256:${manifestDigest}`,
      size: manifest.length,
      annotations: {
        'io.containerd.image.name': `docker.io/${tag}`,
        'org.opencontainers.image.ref.name': tag,
      },
    })),
  };
  const docker = [
    { Config: blob(configDigest), RepoTags: tags, Layers: image.layers.map((l) => blob(l.sha256)) },
  ];
  const mtime = new Date(0);
  const put = (name: string, body: Buffer | string) => pack.entry({ name, mtime, mode: 0o644 }, body);
  void (async () => {
    put('oci-layout', '{"imageLayoutVersion":"1.0.0"}');
    put(blob(configDigest), config);
    put(blob(manifestDigest), manifest);
    for (const layer of image.layers) {
      const entry = pack.entry({ name: blob(layer.sha256), mtime, mode: 0o644, size: layer.size });
      await pipeline(createReadStream(layer.path, { highWaterMark: 1 << 20 }), entry);
    }
    put('index.json', JSON.stringify(index));
    put('manifest.json', JSON.stringify(docker));
    pack.finalize();
  })().catch((error) => pack.destroy(error as Error));
  return Readable.from(pack as unknown as AsyncIterable<Buffer>, { objectMode: false });
}
