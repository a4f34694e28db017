import { routes } from '@vgpu/api';
import { parseDuration, VgpuError } from '@vgpu/core';
import type { Command } from 'commander';
import { connect } from '../context/connection.ts';
import { note, print, printJson } from '../output/print.ts';
import { style } from '../output/style.ts';
import { renderTable } from '../output/table.ts';
import { ago } from '../output/words.ts';
import { collect } from './run-options.ts';

const scopes = ['read', 'write', 'admin'] as const;
type Scope = (typeof scopes)[number];

function defineCreate(command: Command): void {
  command
    .command('create')
    .description('Create a token. Its secret is shown this once.')
    .argument('<name>', 'what it is for')
    .option('--scope <scope>', 'read, write or admin; again for more (default: read and write)', collect)
    .option('--project <project>', 'the project that it works in', 'default')
    .option('--expires <duration>', 'how long it is valid, such as 30d (default: for ever)')
    .action(
      async (name: string, flags: { scope?: Scope[]; project: string; expires?: string; json?: boolean }) => {
        const wrong = flags.scope?.find((scope) => !scopes.includes(scope));
        if (wrong) {
          const problem = `no scope "${wrong}"; there are ${scopes.join(', ')}`;
          throw new VgpuError('BAD_FLAG', { flag: '--scope', problem, command: 'token create' });
        }
        const expiresAt = flags.expires ? Date.now() + parseDuration(flags.expires) : undefined;
        const body = { name, project: flags.project, scopes: flags.scope, expiresAt };
        const token = await connect().client.call(routes.access.createToken, { body });
        if (flags.json) return printJson(token);
        note(
          style.dim(
            `${token.name} (${token.scopes.join(', ')}) in project ${token.project}; keep it, it is not shown again:`,
          ),
        );
        print(token.secret);
      },
    );
}

function defineList(command: Command): void {
  command
    .command('ls')
    .description('List tokens.')
    .action(async (flags: { json?: boolean }) => {
      const { items } = await connect().client.call(routes.access.tokens, {});
      if (flags.json) return printJson(items);
      const columns = ['id', 'name', 'project', 'user', 'scopes', 'created', 'last used', 'expires'];
      const rows = items.map((token) => [
        token.id,
        token.name,
        token.project,
        token.user,
        token.scopes.join(', '),
        ago(token.createdAt),
        token.lastUsedAt === null ? 'never' : ago(token.lastUsedAt),
        token.expiresAt === null ? 'never' : new Date(token.expiresAt).toISOString().slice(0, 10),
      ]);
      print(
        renderTable(
          columns.map((title) => ({ title, shrinks: title === 'name', key: title === 'name' })),
          rows,
        ),
      );
    });
}

function defineRevoke(command: Command): void {
  command
    .command('revoke')
    .description('Revoke a token: it stops working at once.')
    .argument('<token>', 'its id')
    .action(async (token: string, flags: { json?: boolean }) => {
      await connect().client.call(routes.access.revokeToken, { params: { token } });
      if (flags.json) printJson({ revoked: token });
      else print(`${token} revoked`);
    });
}

export function define(command: Command): void {
  defineCreate(command);
  defineList(command);
  defineRevoke(command);
}
