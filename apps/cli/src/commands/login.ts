import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { text } from 'node:stream/consumers';
import { routes } from '@vgpu/api';
import { VgpuError } from '@vgpu/core';
import type { Command } from 'commander';
import { clientOf, type Login, loginPath } from '../context/connection.ts';
import { note, printJson } from '../output/print.ts';

/** The token: from the flag, the environment, a pipe, or asked for without showing it. */
async function tokenFor(flag: string | undefined): Promise<string> {
  if (flag) return flag;
  if (process.env.VGPU_TOKEN) return process.env.VGPU_TOKEN;
  if (!process.stdin.isTTY) return (await text(process.stdin)).trim();
  const { isCancel, password } = await import('@clack/prompts');
  const answer = await password({ message: 'Token (an administrator makes one with `vgpu token create`)' });
  if (isCancel(answer)) throw new VgpuError('UNAUTHENTICATED', {});
  return answer.trim();
}

/** Writes the login so that only its owner can read it. */
function remember(login: Login): void {
  const path = loginPath();
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, `${JSON.stringify(login)}\n`, { mode: 0o600 });
  chmodSync(path, 0o600);
}

export function define(command: Command): void {
  command
    .description('Use a server elsewhere from now on. The token is checked before it is kept.')
    .argument('<url>', 'address of the server, such as https://vgpu.example.org')
    .option('--token <token>', 'access token; asked for, or read from stdin, without this')
    .action(async (address: string, flags: { token?: string; json?: boolean }) => {
      const url = /^https?:\/\//.test(address) ? address : `https://${address}`;
      if (!URL.canParse(url)) {
        throw new VgpuError('BAD_FLAG', {
          flag: 'URL',
          problem: `"${address}" is no address`,
          command: 'login',
        });
      }
      const origin = new URL(url).origin;
      const token = await tokenFor(flags.token);
      const who = await clientOf({ url: origin, token, origin: 'login' }).call(routes.access.whoami, {});
      remember({ url: origin, token });
      if (flags.json) return printJson({ url: origin, ...who });
      note(`${origin}: ${who.user} in project ${who.project} (${who.scopes.join(', ')})`);
      note('`vgpu logout` goes back to the server of this machine');
    });
}
