/** A file of a script's folder. */
export interface TarFile {
  /** Relative to the root, with `/`. */
  path: string;
  bytes: Uint8Array;
}

/** 2020-01-01 in seconds: the same for all, so that equal contents give equal bytes. */
const fixedTime = 1_577_836_800;
const block = 512;
const encoder = new TextEncoder();

const octal = (value: number, digits: number): string =>
  `${value.toString(8).padStart(digits, '0').slice(-digits)} `;

interface Entry {
  name: string;
  prefix: string;
  type: '0' | 'x';
  mode: number;
  size: number;
}

/** One header of POSIX.1-1988 (ustar). */
function header({ name, prefix, type, mode, size }: Entry): Uint8Array {
  const bytes = new Uint8Array(block);
  const put = (text: string, at: number) => bytes.set(encoder.encode(text), at);
  put(name, 0);
  put(octal(mode, 6), 100);
  put(octal(0, 6), 108);
  put(octal(0, 6), 116);
  put(octal(size, 11), 124);
  put(octal(fixedTime, 11), 136);
  put(type, 156);
  put('ustar\0', 257);
  put('00', 263);
  put(octal(0, 6), 329);
  put(octal(0, 6), 337);
  put(prefix, 345);
  let sum = 8 * 32; // the field of the checksum counts as blanks
  for (const byte of bytes) sum += byte;
  put(octal(sum, 6), 148);
  return bytes;
}

/** Name and prefix of a path that fits a plain header; null where it needs a pax record (long, or not ASCII). */
function plainName(path: string): { name: string; prefix: string } | null {
  if (encoder.encode(path).length !== path.length) return null;
  let name = path;
  const prefix: string[] = [];
  while (name.length > 100) {
    const at = name.indexOf('/');
    if (at < 0) return null;
    prefix.push(name.slice(0, at));
    name = name.slice(at + 1);
  }
  return prefix.join('/').length > 155 ? null : { name, prefix: prefix.join('/') };
}

/** `27 path=…\n`, where 27 counts the whole record in bytes (POSIX.1-2001, pax). */
function paxRecord(path: string): Uint8Array {
  const rest = encoder.encode(` path=${path}\n`).length;
  let length = rest + String(rest).length;
  if (String(length).length !== String(rest).length) length = rest + String(length).length;
  return encoder.encode(`${length} path=${path}\n`);
}

const padding = (size: number): Uint8Array => new Uint8Array((block - (size % block)) % block);

/**
 * Packs files into a normalised tar: names in order, no owners, fixed times, mode 0644. It is byte for byte what the
 * command line packs for the same folder, so that one upload serves both.
 */
export function tar(files: readonly TarFile[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const add = (entry: Entry, content: Uint8Array) =>
    parts.push(header(entry), content, padding(content.length));
  for (const { path, bytes } of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const plain = plainName(path);
    const file = { type: '0' as const, mode: 0o644, size: bytes.length };
    if (plain) add({ ...plain, ...file }, bytes);
    else {
      const pax = paxRecord(path);
      add({ name: 'PaxHeader', prefix: '', type: 'x', mode: 0o644, size: pax.length }, pax);
      add({ name: 'PaxHeader', prefix: '', ...file }, bytes);
    }
  }
  parts.push(new Uint8Array(2 * block));
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
