import { type Dirent, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { formatBytes, VgpuError } from '@vgpu/core';
import { IgnoreRules } from './ignore-rules.ts';

export interface BundleFile {
  /** Relative to the root, with `/`. */
  path: string;
  bytes: number;
  executable: boolean;
}

/** A script's folder holds code; data goes in by `--data`. */
export const maxBytes = 256 * 2 ** 20;
export const maxFiles = 20_000;

/** Folders that are somebody's whole life rather than a script's folder: only the script itself is taken. */
function isTooWide(root: string): boolean {
  const wide = ['/', homedir(), '/tmp', '/root', '/home', '/var', '/etc', '/usr', '/opt'];
  return wide.some((folder) => {
    try {
      return realpathSync(folder) === root;
    } catch {
      return false;
    }
  });
}

const tooLarge = (what: string, limit: string, biggest: BundleFile | undefined) =>
  new VgpuError('TOO_LARGE', {
    what,
    limit,
    advice: `List what the script does not need in .vgpuignore${
      biggest ? ` (the largest file is ${biggest.path}, ${formatBytes(biggest.bytes)})` : ''
    }, or move the script into a folder of its own; data goes in by --data.`,
  });

/** A link counts as what it points to, so long as that is a regular file inside the folder. */
function asFile(
  root: string,
  path: string,
  entry: Dirent,
): { bytes: number; executable: boolean } | undefined {
  const absolute = join(root, path);
  if (entry.isSymbolicLink()) {
    let target: string;
    try {
      target = realpathSync(absolute);
    } catch {
      return undefined;
    }
    if (relative(root, target).startsWith('..')) return undefined;
    const stat = statSync(target);
    return stat.isFile() ? { bytes: stat.size, executable: (stat.mode & 0o111) !== 0 } : undefined;
  }
  if (!entry.isFile()) return undefined;
  const stat = lstatSync(absolute);
  return { bytes: stat.size, executable: (stat.mode & 0o111) !== 0 };
}

export interface Collected {
  root: string;
  files: BundleFile[];
  bytes: number;
  /** True where the folder is too wide to be meant, and only the script was taken. */
  scriptOnly: boolean;
}

/**
 * Lists the files of a script's folder that go with it, in a fixed order: without what the ignore files leave out,
 * version control, environments, sockets, devices and links that lead outside.
 * @param script absolute path of the script.
 * @param folder the folder to take; by default the script's own.
 * @throws VgpuError `TOO_LARGE` beyond 256 MiB or 20,000 files.
 */
export function collectBundle(script: string, folder: string, explicit: boolean): Collected {
  const root = realpathSync(resolve(folder));
  if (!explicit && isTooWide(root)) {
    const stat = statSync(script);
    const path = relative(root, realpathSync(script));
    return {
      root,
      files: [{ path, bytes: stat.size, executable: false }],
      bytes: stat.size,
      scriptOnly: true,
    };
  }
  const files: BundleFile[] = [];
  let bytes = 0;
  let biggest: BundleFile | undefined;
  const walk = (inside: string, rules: IgnoreRules): void => {
    for (const entry of readdirSync(join(root, inside), { withFileTypes: true })) {
      const path = inside ? `${inside}/${entry.name}` : entry.name;
      if (rules.excludes(path, entry.isDirectory())) continue;
      if (entry.isDirectory()) {
        walk(path, rules.enter(root, path));
        continue;
      }
      const stat = asFile(root, path, entry);
      if (!stat) continue;
      const file = { path, ...stat };
      files.push(file);
      bytes += file.bytes;
      if (!biggest || file.bytes > biggest.bytes) biggest = file;
      if (bytes > maxBytes) throw tooLarge(`the folder ${root}`, formatBytes(maxBytes), biggest);
      if (files.length > maxFiles) throw tooLarge(`the folder ${root}`, `${maxFiles} files`, biggest);
    }
  };
  walk('', IgnoreRules.atRoot(root));
  files.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  return { root, files, bytes, scriptOnly: false };
}
