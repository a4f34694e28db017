import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { VgpuError } from '@vgpu/core';
import { z } from 'zod';

const KEY_BYTES = 32;
/** NIST SP 800-38D: 96-bit nonces; random ones are safe for 2^32 messages of one key. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const keyFile = z.strictObject({
  keys: z
    .array(
      z.strictObject({
        id: z.string().min(1),
        key: z.base64().refine((text) => Buffer.from(text, 'base64').length === KEY_BYTES),
      }),
    )
    .min(1),
});
type Key = { id: string; key: Buffer };

export interface Sealed {
  keyId: string;
  /** Nonce, ciphertext and tag in Base64. */
  sealed: string;
}

const freshKey = (): Key => ({ id: randomBytes(6).toString('hex'), key: randomBytes(KEY_BYTES) });

/** Replaces a file as a whole: after a crash there is the old one or the new one. For its owner alone. */
function replaceFile(path: string, text: string): void {
  const draft = `${path}.new`;
  rmSync(draft, { force: true });
  const fd = openSync(draft, 'wx', 0o600);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(draft, path);
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/**
 * The keys that seal values at rest (AES-256-GCM), in a file of mode 0600 beside the database. The first one seals;
 * the others are there only while a rotation is under way.
 */
export class KeyRing {
  readonly #file: string;
  #keys: Key[];

  private constructor(file: string, keys: Key[]) {
    this.#file = file;
    this.#keys = keys;
  }

  /**
   * Reads the key file; makes it with a random key where there is none.
   * @throws VgpuError `CONFLICT` when the file is there and damaged.
   */
  static open(file: string): KeyRing {
    if (!existsSync(file)) {
      const ring = new KeyRing(file, [freshKey()]);
      ring.#save();
      return ring;
    }
    chmodSync(file, 0o600);
    try {
      const { keys } = keyFile.parse(JSON.parse(readFileSync(file, 'utf8')));
      return new KeyRing(
        file,
        keys.map(({ id, key }) => ({ id, key: Buffer.from(key, 'base64') })),
      );
    } catch {
      // What is wrong with it is not told: the words of a parser quote what they read.
      const advice = 'Restore it from a backup, or move it away: every secret has to be set again then.';
      throw new VgpuError('CONFLICT', { problem: `the key file ${file} is damaged`, advice });
    }
  }

  /** Id of the key that seals now. */
  get current(): string {
    return this.#keys[0]!.id;
  }

  knows(keyId: string): boolean {
    return this.#keys.some(({ id }) => id === keyId);
  }

  /** @param purpose what the value is; it opens for the same purpose only. */
  seal(purpose: string, value: Buffer): Sealed {
    const { id, key } = this.#keys[0]!;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(purpose));
    const body = Buffer.concat([nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()]);
    return { keyId: id, sealed: body.toString('base64') };
  }

  /** The value, or undefined where the key is gone or the text is not what was sealed for this purpose. */
  unseal(purpose: string, { keyId, sealed }: Sealed): Buffer | undefined {
    const known = this.#keys.find(({ id }) => id === keyId);
    const body = Buffer.from(sealed, 'base64');
    if (!known || body.length < NONCE_BYTES + TAG_BYTES) return undefined;
    const nonce = body.subarray(0, NONCE_BYTES);
    const opener = createDecipheriv('aes-256-gcm', known.key, nonce, { authTagLength: TAG_BYTES });
    opener.setAAD(Buffer.from(purpose));
    opener.setAuthTag(body.subarray(-TAG_BYTES));
    try {
      return Buffer.concat([opener.update(body.subarray(NONCE_BYTES, -TAG_BYTES)), opener.final()]);
    } catch {
      return undefined;
    }
  }

  /** Makes a new key that seals from now on; the old ones go on opening until `forgetOld`. */
  renew(): void {
    this.#keys = [freshKey(), ...this.#keys];
    this.#save();
  }

  forgetOld(): void {
    this.#keys = this.#keys.slice(0, 1);
    this.#save();
  }

  #save(): void {
    const keys = this.#keys.map(({ id, key }) => ({ id, key: key.toString('base64') }));
    replaceFile(this.#file, `${JSON.stringify({ keys }, null, 2)}\n`);
  }
}
