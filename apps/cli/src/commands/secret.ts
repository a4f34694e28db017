import { readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { routes } from '@vgpu/api';
import { formatBytes, VgpuError } from '@vgpu/core';
import type { Command } from 'commander';
import { connect } from '../context/connection.ts';
import { ExitWith } from '../exit-with.ts';
import { print, printJson } from '../output/print.ts';
import { renderTable } from '../output/table.ts';
import { ago, count } from '../output/words.ts';

/** Reads a file as it is. */
function fromFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new VgpuError('FILE_NOT_FOUND', { path, cwd: process.cwd() });
    throw new VgpuError('FILE_UNREADABLE', { path, problem: code ?? String(error) });
  }
}

/** The value: a file as it is, what comes through a pipe less one line end, or asked for without showing it. */
async function valueFor(name: string, file: string | undefined): Promise<Buffer> {
  if (file !== undefined) return fromFile(file);
  if (!process.stdin.isTTY) {
    const piped = await buffer(process.stdin);
    const end = piped.at(-1) === 0x0a ? (piped.at(-2) === 0x0d ? 2 : 1) : 0;
    return piped.subarray(0, piped.length - end);
  }
  const { isCancel, password } = await import('@clack/prompts');
  const answer = await password({ message: `Value of ${name}` });
  if (isCancel(answer)) throw new ExitWith(130);
  return Buffer.from(answer ?? '');
}

function defineSet(command: Command): void {
  command
    .command('set')
    .description(
      'Set a secret of the project. The value comes through a pipe, from a file, or is asked for; it is never shown again.',
    )
    .argument('<name>', 'its name')
    .allowExcessArguments()
    .option('--from-file <file>', 'take the value from this file, as it is')
    .action(async (name: string, flags: { fromFile?: string; json?: boolean }, self: Command) => {
      if (self.args.length > 1) {
        const problem = 'a value on the command line would stay in the shell’s history; pipe it in instead';
        throw new VgpuError('BAD_FLAG', { flag: 'vgpu secret', problem, command: 'secret set' });
      }
      const { client } = connect();
      const value = await valueFor(name, flags.fromFile);
      if (value.length === 0) {
        const flag = flags.fromFile === undefined ? name : '--from-file';
        throw new VgpuError('BAD_FLAG', { flag, problem: 'the value is empty', command: 'secret set' });
      }
      const body = { value: value.toString('base64'), encoding: 'base64' as const };
      const secret = await client.call(routes.secrets.set, { params: { secret: name }, body });
      if (flags.json) return printJson(secret);
      print(`${secret.name} set (${formatBytes(secret.bytes)})`);
    });
}

function defineList(command: Command): void {
  command
    .command('ls')
    .description('List the secrets of the project, without their values.')
    .action(async (flags: { json?: boolean }) => {
      const { items } = await connect().client.call(routes.secrets.list, {});
      if (flags.json) return printJson(items);
      if (items.length === 0) return print('no secrets; set one with `vgpu secret set NAME`');
      const rows = items.map((secret) => [
        secret.name,
        formatBytes(secret.bytes),
        secret.readable ? (secret.text ? 'text' : 'binary') : 'lost its key: set it again',
        ago(secret.updatedAt),
        secret.updatedBy,
      ]);
      print(
        renderTable(
          [
            { title: 'name', shrinks: true },
            { title: 'size', align: 'right' },
            { title: 'kind' },
            { title: 'set' },
            { title: 'by', shrinks: true },
          ],
          rows,
        ),
      );
    });
}

function defineRemove(command: Command): void {
  command
    .command('rm')
    .description('Delete a secret. Tasks that need it and have not started fail with SECRET_MISSING.')
    .argument('<name>', 'its name')
    .action(async (name: string, flags: { json?: boolean }) => {
      await connect().client.call(routes.secrets.remove, { params: { secret: name } });
      if (flags.json) printJson({ deleted: name });
      else print(`${name} deleted`);
    });
}

function defineRotate(command: Command): void {
  command
    .command('rotate-key')
    .description('Seal every secret of the server with a new key, and forget the old one.')
    .action(async (flags: { json?: boolean }) => {
      const done = await connect().client.call(routes.secrets.rotateKey, {});
      if (flags.json) printJson(done);
      else print(`${count(done.secrets, 'secret')} sealed with the new key ${done.key}`);
    });
}

export function define(command: Command): void {
  defineSet(command);
  defineList(command);
  defineRemove(command);
  defineRotate(command);
}
