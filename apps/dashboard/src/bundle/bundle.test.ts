import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { pack } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { sha256 } from './sha256.ts';
import { tar } from './tar.ts';

async function reference(files: { path: string; bytes: Uint8Array }[]): Promise<Buffer> {
  const stream = pack();
  const chunks: Buffer[] = [];
  stream.on('data', (chunk) => chunks.push(chunk as Buffer));
  const done = new Promise<void>((resolve) => stream.on('end', () => resolve()));
  for (const { path, bytes } of files) {
    stream.entry(
      { name: path, mode: 0o644, mtime: new Date(1_577_836_800_000), uid: 0, gid: 0 },
      Buffer.from(bytes),
    );
  }
  stream.finalize();
  await done;
  return Buffer.concat(chunks);
}

const path = fc.oneof(
  fc.stringMatching(/^[a-z]{1,8}(\/[a-z]{1,8}){0,3}\.py$/),
  fc.stringMatching(/^[äöü漢字]{1,30}\.py$/),
  fc.stringMatching(/^[a-z]{90,160}\.py$/),
  fc.stringMatching(/^([a-z]{30}\/){3,7}[a-z]{10}\.py$/),
);

describe('tar', () => {
  test('is byte for byte what the command line packs', async () => {
    const file = fc.record({ path, bytes: fc.uint8Array({ maxLength: 2000 }) });
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(file, { selector: (one) => one.path, maxLength: 5 }), async (files) => {
        const ordered = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
        expect(Buffer.from(tar(files)).equals(await reference(ordered))).toBe(true);
      }),
    );
  });
});

describe('sha256', () => {
  test('agrees with OpenSSL', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const expected = createHash('sha256').update(bytes).digest('hex');
        expect(Buffer.from(sha256(bytes)).toString('hex')).toBe(expected);
      }),
    );
  });
});
