import { VgpuError } from '@vgpu/core';
import type { Command } from 'commander';
import { completionOf } from '../complete/candidates.ts';
import { type Candidate, namesOf } from '../complete/names.ts';
import { type Shell, shells } from '../complete/shells.ts';
import { plain } from '../output/plain.ts';
import { print } from '../output/print.ts';

/** Answers a shell: what may follow, by the letters that are there. */
async function answer(typed: readonly string[]): Promise<void> {
  const current = typed.at(-1) ?? '';
  const { words, kinds, files } = await completionOf(typed);
  const names = (await Promise.all(kinds.map(namesOf))).flat();
  const seen = new Map<string, Candidate>();
  for (const one of [...words, ...names]) {
    if (one.word.startsWith(current) && !seen.has(one.word)) seen.set(one.word, one);
  }
  for (const { word, about } of seen.values()) print(`${plain(word)}\t${plain(about)}`);
  if (files) print(':files');
}

export function define(command: Command): void {
  command
    .description(
      'Print a completion script for a shell: commands, flags, and the names of jobs, datasets, images and secrets.',
    )
    .argument('<shell>', Object.keys(shells).join(', '))
    .argument('[typed...]')
    .usage('<shell>')
    .action(async (shell: string, typed: string[]) => {
      // What the scripts ask on each key press; not for people.
      if (shell === 'words') return answer(typed.length > 0 ? typed : ['']);
      const script = shells[shell as Shell];
      if (!script) {
        const problem = `no completion for "${shell}"; there are ${Object.keys(shells).join(', ')}`;
        throw new VgpuError('BAD_FLAG', { flag: 'shell', problem, command: 'completion' });
      }
      print(script);
    });
}
