import { routes } from '@vgpu/api';
import type { Command } from 'commander';
import { clientOf, findConnection } from '../context/connection.ts';
import { print, printJson } from '../output/print.ts';
import { version } from '../version.ts';

export function define(command: Command): void {
  command.action(async (flags: { json?: boolean }) => {
    const connection = findConnection();
    const health = connection
      ? await clientOf(connection)
          .call(routes.machine.health, {})
          .catch(() => undefined)
      : undefined;
    const server = connection ? { url: connection.url, version: health?.version ?? null } : null;
    if (flags.json) return printJson({ version, node: process.versions.node, server });
    print(`vgpu    ${version}`);
    print(`node    ${process.versions.node}`);
    print(`server  ${server ? `${server.version ?? 'does not answer'}  ${server.url}` : 'none'}`);
  });
}
