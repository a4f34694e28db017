/** Types of the fields of Thrift's compact protocol that Parquet's metadata have. */
const types = { true: 1, false: 2, byte: 3, int: 5, long: 6, binary: 8, list: 9, struct: 12 } as const;

/** A value of Parquet's metadata: fields by their numbers, ascending. */
export type ThriftValue =
  | { boolean: boolean }
  | { byte: number }
  | { int: number }
  | { long: number }
  | { binary: Uint8Array | string }
  | { list: readonly ThriftValue[] }
  | { struct: ThriftStruct };

export type ThriftStruct = Readonly<Record<number, ThriftValue | null | undefined>>;

const encoder = new TextEncoder();

function typeOf(value: ThriftValue): number {
  if ('boolean' in value) return value.boolean ? types.true : types.false;
  const [kind] = Object.keys(value) as [keyof typeof types];
  return types[kind];
}

/** Writes structs in Thrift's compact protocol (apache/thrift, doc/specs/thrift-compact-protocol.md). */
class ThriftWriter {
  #bytes = new Uint8Array(256);
  #at = 0;

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  struct(fields: ThriftStruct): void {
    let last = 0;
    for (const [key, value] of Object.entries(fields)) {
      if (value === null || value === undefined) continue;
      const id = Number(key);
      const type = typeOf(value);
      if (id - last < 16) this.#byte(((id - last) << 4) | type);
      else {
        this.#byte(type);
        this.#varint(id * 2);
      }
      last = id;
      if (!('boolean' in value)) this.#value(value);
    }
    this.#byte(0);
  }

  #value(value: ThriftValue): void {
    if ('struct' in value) this.struct(value.struct);
    else if ('int' in value) this.#varint(zigzag(value.int));
    else if ('long' in value) this.#varint(zigzag(value.long));
    else if ('byte' in value) this.#byte(value.byte & 0xff);
    else if ('boolean' in value) this.#byte(value.boolean ? types.true : types.false);
    else if ('binary' in value) {
      const bytes = typeof value.binary === 'string' ? encoder.encode(value.binary) : value.binary;
      this.#varint(bytes.length);
      this.#room(bytes.length);
      this.#bytes.set(bytes, this.#at);
      this.#at += bytes.length;
    } else {
      const { list } = value;
      const type = list.length === 0 ? types.int : typeOf(list[0]!);
      if (list.length < 15) this.#byte((list.length << 4) | type);
      else {
        this.#byte(0xf0 | type);
        this.#varint(list.length);
      }
      for (const one of list) this.#value(one);
    }
  }

  /** Whole numbers from 0 to 2^53. */
  #varint(value: number): void {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#byte((rest % 128) | 128);
    this.#byte(rest);
  }

  #byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = value;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const more = new Uint8Array(2 * (this.#at + bytes));
    more.set(this.bytes);
    this.#bytes = more;
  }
}

const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);

export function thriftBytes(fields: ThriftStruct): Uint8Array {
  const writer = new ThriftWriter();
  writer.struct(fields);
  return writer.bytes;
}
