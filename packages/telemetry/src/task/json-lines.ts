/** Longest line accepted; a confusion matrix of 50 classes takes some 30 KB. */
const MAX_LINE = 256 * 1024;

/** Splits newline-delimited JSON that arrives in pieces; what is no JSON is counted and skipped. */
export class JsonLines {
  #parts: Buffer[] = [];
  #size = 0;
  #skipping = false;
  /** Lines that were no JSON or too long. */
  bad = 0;

  push(bytes: Buffer): unknown[] {
    const values: unknown[] = [];
    let from = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
      this.#keep(bytes.subarray(from, end));
      from = end + 1;
      if (!this.#skipping && this.#size > 0) {
        try {
          values.push(JSON.parse(Buffer.concat(this.#parts).toString()));
        } catch {
          this.bad += 1;
        }
      }
      this.#clear();
    }
    this.#keep(bytes.subarray(from));
    return values;
  }

  /** Forgets a line begun (after a gap). */
  reset(): void {
    this.#clear();
  }

  #keep(part: Buffer): void {
    if (this.#skipping || part.length === 0) return;
    this.#size += part.length;
    if (this.#size > MAX_LINE) {
      this.bad += 1;
      this.#clear();
      this.#skipping = true;
    } else this.#parts.push(part);
  }

  #clear(): void {
    this.#parts = [];
    this.#size = 0;
    this.#skipping = false;
  }
}
