import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseJobYaml, VgpuError } from '@vgpu/core';
import type { Command } from 'commander';
import { ensureServer } from '../context/ensure-server.ts';
import { submitAndStay } from '../submit/after-submit.ts';
import { addSubmitOptions, type SubmitFlags } from './run-options.ts';

export function define(command: Command): void {
  command
    .description('Run a job that a YAML file describes. Paths in it start from its own folder.')
    .argument('<file>', 'a job spec; - reads it from stdin')
    .option('--folder <dir>', 'upload this folder (default: the script’s own)');
  addSubmitOptions(command)
    .addHelpText('after', '\nThe fields of a job spec: vgpu help spec')
    .action(async (file: string, flags: SubmitFlags & { folder?: string }) => {
      const fromStdin = file === '-';
      let text: string;
      try {
        text = readFileSync(fromStdin ? 0 : file, 'utf8');
      } catch {
        throw new VgpuError('FILE_NOT_FOUND', { path: file, cwd: process.cwd() });
      }
      const spec = parseJobYaml(text, file);
      if (typeof spec !== 'object' || spec === null || Array.isArray(spec)) {
        throw new VgpuError('BAD_SPEC', {
          path: file,
          problem: 'a job spec is a mapping with at least `script`',
        });
      }
      const from = fromStdin ? process.cwd() : dirname(resolve(file));
      const request = { spec: spec as Record<string, unknown>, from, folder: flags.folder };
      await submitAndStay(ensureServer, request, flags);
    });
}
