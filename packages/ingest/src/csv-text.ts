import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

/** One field of RFC 4180 text: quoted only where it must be. */
export const csvField = (text: string): string =>
  /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;

export const csvLine = (fields: readonly string[]): string => `${fields.map(csvField).join(',')}\n`;

/** Writes lines of text with backpressure, in large pieces. */
export class TextWriter {
  readonly #stream: WriteStream;
  #pending = '';
  #failed: Error | null = null;

  constructor(path: string) {
    this.#stream = createWriteStream(path, { flags: 'wx', highWaterMark: 1 << 20 });
    this.#stream.on('error', (error) => {
      this.#failed = error;
    });
  }

  add(text: string): void {
    this.#pending += text;
  }

  /** Hands what was added to the file; resolves when it can take more. */
  async flush(): Promise<void> {
    if (this.#failed) throw this.#failed;
    if (this.#pending.length === 0) return;
    const piece = this.#pending;
    this.#pending = '';
    if (!this.#stream.write(piece))
      await new Promise<void>((resolve, reject) => {
        const done = () => {
          this.#stream.off('error', fail);
          resolve();
        };
        const fail = (error: Error) => {
          this.#stream.off('drain', done);
          reject(error);
        };
        this.#stream.once('drain', done);
        this.#stream.once('error', fail);
      });
  }

  async end(): Promise<void> {
    await this.flush();
    this.#stream.end();
    await finished(this.#stream);
  }
}
