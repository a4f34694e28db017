import { readFile } from 'node:fs/promises';
import { inflateRawSync } from 'node:zlib';
import { DriverError } from '../errors.ts';

export interface WheelEntry {
  path: string;
  data: Buffer;
  executable: boolean;
}

/**
 * The files of a wheel at the paths where they install, relative to `site` (the package folder) or, for
 * `*.data/` parts and console scripts, to the image's root. Source: PyPA binary distribution format; zip
 * layout: PKWARE APPNOTE. Throws BUILD_FAILED on a damaged archive or a path that leaves its folder.
 */
export async function* wheelFiles(path: string, site: string): AsyncGenerator<WheelEntry> {
  const zip = await readFile(path);
  for (const { name, read, mode } of zipEntries(zip, path)) {
    if (name.endsWith('/')) continue;
    if (name.startsWith('/') || name.split('/').includes('..'))
      throw new DriverError('BUILD_FAILED', `${path} holds "${name}"`);
    const executable = (mode & 0o111) !== 0;
    const part = /^[^/]+\.data\/([^/]+)\/(.+)$/.exec(name);
    if (!part) {
      yield { path: `${site}/${name}`, data: read(), executable };
      if (name.endsWith('.dist-info/entry_points.txt')) yield* consoleScripts(read().toString('utf8'));
    } else if (part[1] === 'purelib' || part[1] === 'platlib')
      yield { path: `${site}/${part[2]}`, data: read(), executable };
    else if (part[1] === 'data') yield { path: `usr/local/${part[2]}`, data: read(), executable };
    else if (part[1] === 'scripts')
      yield { path: `usr/local/bin/${part[2]}`, data: fixShebang(read()), executable: true };
    else if (part[1] === 'headers') yield { path: `usr/local/include/${part[2]}`, data: read(), executable };
  }
}

/** A wheel's scripts start with `#!python`; the installer names the interpreter. */
function fixShebang(script: Buffer): Buffer {
  return script.subarray(0, 8).toString('latin1') === '#!python'
    ? Buffer.concat([Buffer.from('#!/usr/bin/python3'), script.subarray(8)])
    : script;
}

function* consoleScripts(ini: string): Generator<WheelEntry> {
  let section = '';
  for (const line of ini.split('\n').map((l) => l.trim())) {
    if (line.startsWith('[')) section = line.slice(1, -1);
    const entry = /^([\w.-]+)\s*=\s*([\w.]+)\s*:\s*([\w.]+)/.exec(line);
    if (section !== 'console_scripts' || !entry) continue;
    const [, name, module, attribute] = entry as unknown as [string, string, string, string];
    const code = `#!/usr/bin/python3\nimport sys\nfrom ${module} import ${attribute.split('.')[0]}\nsys.exit(${attribute}())\n`;
    yield { path: `usr/local/bin/${name}`, data: Buffer.from(code), executable: true };
  }
}

interface ZipEntry {
  name: string;
  mode: number;
  read: () => Buffer;
}

function* zipEntries(zip: Buffer, path: string): Generator<ZipEntry> {
  const damaged = () => new DriverError('BUILD_FAILED', `${path} is not a readable zip archive`);
  // The end record is 22 bytes plus a comment of at most 65,535.
  let end = zip.length - 22;
  while (end >= 0 && zip.readUInt32LE(end) !== 0x06054b50) end--;
  if (end < 0) throw damaged();
  const count = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  for (let i = 0; i < count; i++) {
    if (at + 46 > zip.length || zip.readUInt32LE(at) !== 0x02014b50) throw damaged();
    const method = zip.readUInt16LE(at + 10);
    const packed = zip.readUInt32LE(at + 20);
    const nameLength = zip.readUInt16LE(at + 28);
    const mode = zip.readUInt32LE(at + 38) >>> 16;
    const local = zip.readUInt32LE(at + 42);
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength);
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
    const read = () => {
      const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
      const raw = zip.subarray(start, start + packed);
      if (method === 0) return raw;
      if (method === 8) return inflateRawSync(raw);
      throw damaged();
    };
    yield { name, mode, read };
  }
}
