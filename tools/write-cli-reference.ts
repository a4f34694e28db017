/** Writes docs/cli.md from the commands themselves. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cliReference } from '../apps/cli/src/views/cli-reference.ts';

writeFileSync(join(import.meta.dirname, '../docs/cli.md'), await cliReference());
