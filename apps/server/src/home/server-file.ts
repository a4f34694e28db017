import { renameSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerFile } from '@vgpu/core';

/** Says where the server is, for the CLI; whole or not at all. */
export function writeServerFile(path: string, content: ServerFile): void {
  const next = `${path}.${process.pid}`;
  writeFileSync(next, `${JSON.stringify(content)}\n`, { mode: 0o600 });
  renameSync(next, path);
}

export function removeServerFile(path: string): void {
  rmSync(path, { force: true });
}
