import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { routes } from '@vgpu/api';
import { formatBytes, VgpuError } from '@vgpu/core';
import type { Command } from 'commander';
import { connect } from '../context/connection.ts';
import { ensureServer } from '../context/ensure-server.ts';
import { buildImage } from '../image/build-image.ts';
import { note, print, printJson } from '../output/print.ts';
import { style } from '../output/style.ts';
import { renderTable } from '../output/table.ts';
import { ago } from '../output/words.ts';

interface BuildFlags {
  file?: string;
  name?: string;
  verify?: boolean;
  json?: boolean;
}

/** A requirements file or a Dockerfile, by its name. */
function recipe(file: string | undefined): { requirements?: string; dockerfile?: string } {
  if (file === undefined) return {};
  if (!existsSync(file)) throw new VgpuError('FILE_NOT_FOUND', { path: file, cwd: process.cwd() });
  const text = readFileSync(file, 'utf8');
  const isDockerfile = /^(dockerfile|containerfile)|\.(dockerfile|containerfile)$/i.test(basename(file));
  return isDockerfile ? { dockerfile: text } : { requirements: text };
}

function defineBuild(command: Command): void {
  command
    .command('build')
    .description('Build a worker image. The same inputs give the same digest on every machine.')
    .argument('[name]', 'name that a job spec will use')
    .option('-f, --file <file>', 'a requirements.txt, or a Dockerfile')
    .option('-n, --name <name>', 'name that a job spec will use (default: sklearn)')
    .option('--verify', 'build twice and compare the digests')
    .action(async (argument: string | undefined, flags: BuildFlags) => {
      const name = argument ?? flags.name ?? 'sklearn';
      const request = { name, verify: flags.verify ?? false, ...recipe(flags.file) };
      const { client } = await ensureServer();
      const built = await buildImage(client, request, { quiet: flags.json === true });
      if (flags.json) printJson(built);
      else print(`${style.bold(built.image)}  ${built.id}`);
    });
}

function defineList(command: Command): void {
  command
    .command('ls')
    .description('List images.')
    .option('-a, --all', 'those that vgpu did not build as well')
    .action(async (flags: { all?: boolean; json?: boolean }) => {
      const { items } = await connect().client.call(routes.images.list, {});
      const shown = flags.all ? items : items.filter((one) => one.managed || one.name !== null);
      if (flags.json) return printJson(shown);
      if (shown.length === 0) return note(style.dim('no worker images yet: vgpu image build'));
      const columns = [
        { title: 'name' },
        { title: 'tags', shrinks: true },
        { title: 'id', paint: style.dim },
        { title: 'created', paint: style.dim },
        { title: 'size', align: 'right' as const },
        { title: 'in use', align: 'right' as const },
      ];
      const rows = shown.map((one) => [
        one.name,
        one.tags.join(', '),
        one.id.replace(/^sha256:/, '').slice(0, 12),
        ago(one.created),
        formatBytes(one.bytes),
        one.inUse,
      ]);
      print(renderTable(columns, rows));
    });
}

function defineLock(command: Command): void {
  command
    .command('lock')
    .description(
      'Choose the newest versions of what a standard image consists of, and pin them in its lock.json.',
    )
    .argument('<image>', 'name of a standard image, such as sklearn')
    .action(async (image: string, flags: { json?: boolean }) => {
      const { relock, writeLock } = await import('@vgpu/drivers');
      const lock = await relock(image, { onProgress: (line) => note(style.dim(`  ${line}`)) });
      await writeLock(image, lock);
      const inputs = Object.values(lock.architectures).reduce(
        (n, one) => n + one.debs.length + one.wheels.length,
        0,
      );
      if (flags.json) printJson({ image, created: lock.created, inputs });
      else print(`${image}: ${inputs} inputs pinned`);
    });
}

export function define(command: Command): void {
  defineBuild(command);
  defineLock(command);
  defineList(command);
  command
    .command('inspect')
    .description('Show everything that is known of an image.')
    .argument('<image>', 'name, tag or id')
    .action(async (image: string) => {
      printJson(await connect().client.call(routes.images.inspect, { params: { image } }));
    });
  command
    .command('rm')
    .description('Delete images that nothing uses.')
    .argument('<image...>', 'names, tags or ids')
    .action(async (images: string[], flags: { json?: boolean }) => {
      const { client } = connect();
      for (const image of images) await client.call(routes.images.remove, { params: { image } });
      if (flags.json) printJson({ removed: images });
      else print(`${images.join(', ')} deleted`);
    });
}
