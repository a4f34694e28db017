import { isAscii } from 'node:buffer';

/** Incremental UTF-8: characters cut between chunks are joined, bad bytes become U+FFFD. */
export class Utf8Decoder {
  #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #mid = false;

  push(bytes: Buffer): string {
    if (!this.#mid && isAscii(bytes)) return bytes.toString('latin1');
    const text = this.#decoder.decode(bytes, { stream: true });
    // Only a chunk that ends in a non-ASCII byte can leave a character open.
    this.#mid = bytes.length > 0 ? bytes[bytes.length - 1]! >= 0x80 : this.#mid;
    return text;
  }

  /** What is left of a cut character at the end (U+FFFD or nothing). */
  end(): string {
    const text = this.#decoder.decode();
    this.#mid = false;
    return text;
  }
}
