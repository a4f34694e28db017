/**
 * The part of completion that a shell runs: it asks `vgpu completion words` what may follow, one `word<tab>meaning`
 * a line; `:files` means that names of files will do as well.
 */
export const shells = {
  bash: `# vgpu completion for bash: eval "$(vgpu completion bash)"
_vgpu() {
  local current=\${COMP_WORDS[COMP_CWORD]} line
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o filenames 2>/dev/null
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
    else
      COMPREPLY+=("\${line%%$'\\t'*}")
    fi
  done < <("\${COMP_WORDS[0]}" completion words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _vgpu vgpu`,

  zsh: `#compdef vgpu
# vgpu completion for zsh: source <(vgpu completion zsh)
_vgpu() {
  local line files
  local -a found
  for line in "\${(@f)$("\${words[1]}" completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      '') ;;
      :files) files=1 ;;
      *) found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done
  (( $#found )) && _describe -V 'vgpu' found
  [[ -n $files ]] && _files
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _vgpu vgpu`,

  fish: `# vgpu completion for fish: vgpu completion fish | source
function __vgpu_words
  set -l typed (commandline -opc) (commandline -ct)
  for line in ($typed[1] completion words -- $typed[2..-1] 2>/dev/null)
    if test "$line" = :files
      __fish_complete_path (commandline -ct)
    else
      echo $line
    end
  end
end
complete -c vgpu -f -a '(__vgpu_words)'`,
} as const;

export type Shell = keyof typeof shells;
