import { VgpuError } from '@vgpu/core';
import type { Command } from 'commander';
import { print } from '../output/print.ts';
import { buildProgram } from '../program.ts';

interface Known {
  name: string;
  summary: string;
  words: string[];
}

/** Commands with the flags and subcommands that may follow each. */
async function knownCommands(): Promise<Known[]> {
  const program = await buildProgram([], true);
  return program.commands.map((command) => ({
    name: command.name(),
    summary: command.summary(),
    words: [
      ...command.commands.map((sub) => sub.name()),
      ...command.options.flatMap((option) => (option.long ? [option.long] : [])),
      ...command.commands.flatMap((sub) =>
        sub.options.flatMap((option) => (option.long ? [option.long] : [])),
      ),
      '--help',
    ].filter((word, i, all) => all.indexOf(word) === i),
  }));
}

function bash(commands: readonly Known[]): string {
  const cases = commands.map(({ name, words }) => `    ${name}) words="${words.join(' ')}" ;;`).join('\n');
  return `# vgpu completion for bash: eval "$(vgpu completion bash)"
_vgpu() {
  local current=\${COMP_WORDS[COMP_CWORD]} words
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.map(({ name }) => name).join(' ')} --version --help" -- "$current"))
    return
  fi
  case \${COMP_WORDS[1]} in
${cases}
    *) words= ;;
  esac
  if [[ $current == -* || -z $(compgen -f -- "$current") ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -F _vgpu vgpu`;
}

const quoted = (text: string): string => text.replaceAll("'", '’');

function zsh(commands: readonly Known[]): string {
  const list = commands.map(({ name, summary }) => `    '${name}:${quoted(summary)}'`).join('\n');
  const cases = commands.map(({ name, words }) => `    ${name}) compadd -- ${words.join(' ')} ;;`).join('\n');
  return `#compdef vgpu
# vgpu completion for zsh: source <(vgpu completion zsh)
_vgpu() {
  local -a commands=(
${list}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  case $words[2] in
${cases}
  esac
  _files
}
compdef _vgpu vgpu`;
}

function fish(commands: readonly Known[]): string {
  const lines = commands.flatMap(({ name, summary, words }) => [
    `complete -c vgpu -n __fish_use_subcommand -a ${name} -d '${quoted(summary)}'`,
    ...words.map((word) =>
      word.startsWith('--')
        ? `complete -c vgpu -n '__fish_seen_subcommand_from ${name}' -l ${word.slice(2)}`
        : `complete -c vgpu -n '__fish_seen_subcommand_from ${name}' -a ${word}`,
    ),
  ]);
  return ['# vgpu completion for fish: vgpu completion fish | source', ...lines].join('\n');
}

const shells = { bash, zsh, fish };

export function define(command: Command): void {
  command.argument('<shell>', Object.keys(shells).join(', ')).action(async (shell: string) => {
    const script = shells[shell as keyof typeof shells];
    if (!script) {
      const problem = `no completion for "${shell}"; there are ${Object.keys(shells).join(', ')}`;
      throw new VgpuError('BAD_FLAG', { flag: 'shell', problem, command: 'completion' });
    }
    print(script(await knownCommands()));
  });
}
