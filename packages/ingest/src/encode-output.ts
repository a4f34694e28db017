const pieceBytes = 4 << 20;

/** Bytes in pieces of a few MiB, which are used again once they were written. */
export class Output {
  readonly #spare: ArrayBuffer[];
  readonly #pieces: Uint8Array<ArrayBuffer>[] = [];
  #to: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #at = 0;

  /** @param spare buffers that it may use; what it leaves is the caller's. */
  constructor(spare: ArrayBuffer[]) {
    this.#spare = spare;
  }

  /** Where so many bytes may be put next; `end` says how many it were. */
  room(bytes: number): { to: Uint8Array<ArrayBuffer>; at: number } {
    if (this.#at + bytes > this.#to.length) {
      this.#close();
      const last = this.#spare.at(-1);
      this.#to = new Uint8Array(
        last && last.byteLength >= bytes ? this.#spare.pop()! : new ArrayBuffer(Math.max(bytes, pieceBytes)),
      );
    }
    return { to: this.#to, at: this.#at };
  }

  /** Keeps what was put, up to this place. */
  end(at: number): void {
    this.#at = at;
  }

  add(bytes: Uint8Array): void {
    const { to, at } = this.room(bytes.length);
    to.set(bytes, at);
    this.end(at + bytes.length);
  }

  /** All pieces in their order. */
  finish(): Uint8Array<ArrayBuffer>[] {
    this.#close();
    return this.#pieces;
  }

  #close(): void {
    if (this.#at > 0) this.#pieces.push(this.#to.subarray(0, this.#at));
    this.#to = new Uint8Array(0);
    this.#at = 0;
  }
}
