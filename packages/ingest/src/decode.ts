import { isUtf8 } from 'node:buffer';
import { unfinishedTail, utf8SequenceLength } from './encoding.ts';

const western = new TextDecoder('windows-1252');

/** Latin-1 but for the bytes from 0x80 to 0x9f: several times as fast as the general decoder. */
const fromWestern = (bytes: Buffer): string =>
  bytes
    .toString('latin1')
    .replace(/[\x80-\x9f]/g, (char) => western.decode(Uint8Array.of(char.charCodeAt(0))));

/** Turns chunks of bytes into text, repairing what is not text, and counts each repair. */
export class Decoder {
  /** Bytes that were not UTF-8 inside a UTF-8 file, read as windows-1252. */
  strays = 0;
  /** NUL characters removed. */
  nuls = 0;
  readonly #other: InstanceType<typeof TextDecoder> | null;
  readonly #western: boolean;
  #carry: Buffer = Buffer.alloc(0);

  constructor(encoding: string) {
    this.#western = encoding === 'windows-1252';
    this.#other = encoding === 'utf-8' ? null : new TextDecoder(encoding, { ignoreBOM: true });
  }

  push(chunk: Buffer): string {
    if (this.#western) return this.#withoutNuls(fromWestern(chunk));
    return this.#withoutNuls(this.#other ? this.#other.decode(chunk, { stream: true }) : this.#utf8(chunk));
  }

  end(): string {
    if (this.#other) return this.#withoutNuls(this.#other.decode());
    const rest = this.#repair(this.#carry);
    this.#carry = Buffer.alloc(0);
    return this.#withoutNuls(rest);
  }

  #withoutNuls(text: string): string {
    if (!text.includes('\0')) return text;
    const clean = text.replaceAll('\0', '');
    this.nuls += text.length - clean.length;
    return clean;
  }

  #utf8(chunk: Buffer): string {
    const bytes = this.#carry.length > 0 ? Buffer.concat([this.#carry, chunk]) : chunk;
    const tail = unfinishedTail(bytes);
    this.#carry = Buffer.from(bytes.subarray(bytes.length - tail));
    const whole = bytes.subarray(0, bytes.length - tail);
    return isUtf8(whole) ? whole.toString('utf8') : this.#repair(whole);
  }

  #repair(bytes: Buffer): string {
    let text = '';
    let from = 0;
    for (let i = 0; i < bytes.length; ) {
      const length = utf8SequenceLength(bytes, i);
      if (length > 0) {
        i += length;
        continue;
      }
      text += bytes.toString('utf8', from, i) + western.decode(bytes.subarray(i, i + 1));
      this.strays++;
      i += 1;
      from = i;
    }
    return text + bytes.toString('utf8', from);
  }
}
