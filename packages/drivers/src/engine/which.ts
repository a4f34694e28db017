import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** Full path of a program; system folders are searched too, since a user's PATH often lacks them. */
export function which(program: string): string | undefined {
  const folders = [
    ...(process.env.PATH ?? '').split(':'),
    '/usr/local/sbin',
    '/usr/sbin',
    '/sbin',
    '/usr/local/bin',
    '/usr/bin',
    '/bin',
  ];
  for (const folder of folders.filter(Boolean)) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here.
    }
  }
  return undefined;
}
