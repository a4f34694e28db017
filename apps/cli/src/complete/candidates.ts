import type { Argument, Command, Option } from 'commander';
import { commandTable } from '../command-table.ts';
import { loadCommand } from '../program.ts';
import type { Candidate, Kind } from './names.ts';

/** What may stand where the cursor is: words, names that the server knows, files. */
export interface Completion {
  words: Candidate[];
  kinds: Kind[];
  files: boolean;
}

/** What an argument or the value of a flag is, by the name that its help gives it. */
const kindOf: Record<string, Kind> = {
  job: 'job',
  dataset: 'dataset',
  image: 'image',
  secret: 'secret',
  token: 'token',
  project: 'project',
};
const files = new Set(['file', 'script', 'dir', 'program', 'path']);
/** Arguments called `name` mean what their command is about. */
const namedBy: Record<string, Kind> = { 'secret rm': 'secret', 'secret set': 'secret', 'gpu pool': 'pool' };

const nothing = (): Completion => ({ words: [], kinds: [], files: false });
const firstLine = (text: string): string => text.split('\n')[0] ?? '';

function flagValue(option: Option): Completion {
  if (option.argChoices)
    return { ...nothing(), words: option.argChoices.map((word) => ({ word, about: '' })) };
  if (option.long === '--data') return { words: [], kinds: ['dataset'], files: true };
  const name = option.attributeName();
  const placeholder = /<([^>]+)>/.exec(option.flags)?.[1] ?? '';
  const kind = kindOf[name] ?? kindOf[placeholder];
  return { words: [], kinds: kind ? [kind] : [], files: files.has(placeholder) || name === 'folder' };
}

function argumentOf(argument: Argument, path: string): Completion {
  const name = argument.name();
  if (name === 'shell') {
    return { ...nothing(), words: ['bash', 'zsh', 'fish'].map((word) => ({ word, about: '' })) };
  }
  if (name === 'topic') {
    const topics = [...commandTable.map((one) => ({ word: one.name, about: one.summary }))];
    return { ...nothing(), words: [...topics, { word: 'spec', about: 'the job spec' }] };
  }
  const kind = kindOf[name] ?? (name === 'name' ? namedBy[path] : undefined);
  return { words: [], kinds: kind ? [kind] : [], files: files.has(name) || name === 'args' };
}

const flagsOf = (command: Command): Candidate[] => [
  ...command.options
    .filter((option) => option.long && !option.hidden)
    .map((option) => ({ word: option.long!, about: firstLine(option.description) })),
  { word: '--help', about: 'explain the command' },
];

/**
 * What may be typed next.
 * @param typed the words after `vgpu`, the one under the cursor last, perhaps empty.
 */
export async function completionOf(typed: readonly string[]): Promise<Completion> {
  const current = typed.at(-1) ?? '';
  const before = typed.slice(0, -1);
  const [first, ...rest] = before;
  if (first === undefined) {
    const words = commandTable.map(({ name, summary }) => ({ word: name, about: summary }));
    const flags = [
      { word: '--help', about: 'list the commands' },
      { word: '--version', about: 'print the version' },
    ];
    return { ...nothing(), words: current.startsWith('-') ? flags : words };
  }
  const entry = commandTable.find(({ name }) => name === first);
  if (!entry) return nothing();
  let command = await loadCommand(entry);
  let path = first;
  let given = 0;
  let awaits: Option | undefined;
  for (const word of rest) {
    if (word === '--') return { ...nothing(), files: true };
    if (awaits) {
      awaits = undefined;
      continue;
    }
    if (word.startsWith('-')) {
      const option = command.options.find((one) => one.long === word || one.short === word);
      awaits = option && !option.isBoolean() ? option : undefined;
      continue;
    }
    const below = command.commands.find((sub) => sub.name() === word);
    if (below && given === 0) {
      command = below;
      path = `${path} ${word}`;
    } else given++;
  }
  if (awaits) return flagValue(awaits);
  if (current.startsWith('-')) return { ...nothing(), words: flagsOf(command) };
  if (command.commands.length > 0) {
    const words = command.commands.map((sub) => ({ word: sub.name(), about: firstLine(sub.description()) }));
    return { ...nothing(), words };
  }
  const known = command.registeredArguments;
  const argument = known[given] ?? (known.at(-1)?.variadic ? known.at(-1) : undefined);
  return argument ? argumentOf(argument, path) : nothing();
}
