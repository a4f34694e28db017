import { existsSync, rmSync } from 'node:fs';
import type { Command } from 'commander';
import { loginPath } from '../context/connection.ts';
import { note, printJson } from '../output/print.ts';

export function define(command: Command): void {
  command.action((flags: { json?: boolean }) => {
    const known = existsSync(loginPath());
    rmSync(loginPath(), { force: true });
    if (flags.json) return printJson({ loggedOut: known });
    note(known ? 'logged out: commands use the server of this machine again' : 'there was no login');
  });
}
