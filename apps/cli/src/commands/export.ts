import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { routes } from '@vgpu/api';
import { type Command, Option } from 'commander';
import { connect } from '../context/connection.ts';
import { note } from '../output/print.ts';
import { stderrStyle as style } from '../output/style.ts';
import { findJob } from '../submit/after-submit.ts';
import { jobArgument } from './show.ts';

type Format = 'csv' | 'json' | 'markdown';

const byExtension: Record<string, Format> = { csv: 'csv', json: 'json', md: 'markdown' };

export function define(command: Command): void {
  command
    .argument('[job]', jobArgument, 'latest')
    .addOption(new Option('--format <format>', 'csv, json or markdown').choices(['csv', 'json', 'markdown']))
    .option('-o, --output <file>', 'write to a file; its extension gives the format')
    .option('--json', 'the same as --format json')
    .action(async (id: string, flags: { format?: Format; output?: string; json?: boolean }) => {
      const session = connect();
      const job = await findJob(session, id);
      const extension = flags.output?.split('.').at(-1)?.toLowerCase() ?? '';
      const format = flags.format ?? (flags.json ? 'json' : (byExtension[extension] ?? 'csv'));
      const response = await session.client.call(routes.jobs.export, {
        params: { job: job.id },
        query: { format },
      });
      if (!flags.output) {
        process.stdout.write(await response.text());
        return;
      }
      await pipeline(Readable.fromWeb(response.body as never), createWriteStream(flags.output));
      note(style.dim(`written to ${flags.output}`));
    });
}
