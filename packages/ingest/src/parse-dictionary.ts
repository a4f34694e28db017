import { mostCodes } from './column-store.ts';

const seed = 0x811c9dc5;
const prime = 0x01000193;

/** The FNV-1a hash of some bytes (Fowler, Noll, Vo: 32 bits), as a signed integer. */
export function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = seed | 0;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, prime);
  return hash;
}

/** Distinct texts as bytes, each with its code: codes follow one another in the order of first appearance. */
export class ParseDictionary {
  size = 0;
  /** Where each text begins in `#bytes`, and behind the last of them its end. */
  #starts = new Int32Array(257);
  #hashes = new Int32Array(256);
  #bytes = new Uint8Array(4096);
  #slots = new Int32Array(1024).fill(-1);
  counts = new Uint32Array(256);

  /** Forgets all texts, and keeps its room. */
  clear(): void {
    this.counts.fill(0, 0, this.size);
    this.size = 0;
    this.#slots.fill(-1);
  }

  /** The code of a text whose hash is known; counts it. -1 where there are too many texts. */
  add(from: Uint8Array, start: number, stop: number, hash: number): number {
    const length = stop - start;
    const mask = this.#slots.length - 1;
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (let code = this.#slots[slot]!; code >= 0; code = this.#slots[slot]!) {
      if (this.#hashes[code] === hash) {
        const at = this.#starts[code]!;
        if (this.#starts[code + 1]! - at === length) {
          let i = 0;
          while (i < length && this.#bytes[at + i] === from[start + i]) i++;
          if (i === length) {
            this.counts[code]!++;
            return code;
          }
        }
      }
      slot = (slot + 1) & mask;
    }
    return this.#insert(from, start, stop, hash, slot);
  }

  /** All texts, by their codes. */
  texts(decode: (bytes: Uint8Array) => string): string[] {
    return Array.from({ length: this.size }, (_, code) =>
      decode(this.#bytes.subarray(this.#starts[code], this.#starts[code + 1])),
    );
  }

  #insert(from: Uint8Array, start: number, stop: number, hash: number, slot: number): number {
    const code = this.size;
    if (code === mostCodes) return -1;
    if (code === this.#hashes.length) this.#grow();
    const at = this.#starts[code]!;
    const end = at + stop - start;
    if (end > this.#bytes.length) {
      const more = new Uint8Array(end * 2);
      more.set(this.#bytes);
      this.#bytes = more;
    }
    for (let i = start; i < stop; i++) this.#bytes[at + i - start] = from[i]!;
    this.#starts[code + 1] = end;
    this.#hashes[code] = hash;
    this.#slots[slot] = code;
    this.counts[code] = 1;
    this.size++;
    return code;
  }

  #grow(): void {
    const size = this.#hashes.length * 2;
    const widen = <T extends Int32Array | Uint32Array>(old: T, fresh: T): T => {
      fresh.set(old);
      return fresh;
    };
    this.#starts = widen(this.#starts, new Int32Array(size + 1));
    this.#hashes = widen(this.#hashes, new Int32Array(size));
    this.counts = widen(this.counts, new Uint32Array(size));
    this.#slots = new Int32Array(size * 4).fill(-1);
    const mask = this.#slots.length - 1;
    for (let code = 0; code < this.size; code++) {
      const hash = this.#hashes[code]!;
      let slot = (hash ^ (hash >>> 15)) & mask;
      while (this.#slots[slot]! >= 0) slot = (slot + 1) & mask;
      this.#slots[slot] = code;
    }
  }
}
