import { ParseDictionary } from './parse-dictionary.ts';

/** Rows that are odd, in a list that grows. */
export class OddList {
  rows = new Uint32Array(64);
  codes = new Uint16Array(64);
  size = 0;
  readonly dictionary = new ParseDictionary();

  clear(): void {
    this.size = 0;
    this.dictionary.clear();
  }

  add(row: number, code: number): void {
    if (this.size === this.rows.length) {
      const [rows, codes] = [new Uint32Array(this.size * 2), new Uint16Array(this.size * 2)];
      rows.set(this.rows);
      codes.set(this.codes);
      this.rows = rows;
      this.codes = codes;
    }
    this.rows[this.size] = row;
    this.codes[this.size++] = code;
  }
}
