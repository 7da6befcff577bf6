// Each asks `pawl complete -- <words>` for lines of a word, a tab and what it means, and completes files where there
// are none. What was typed is handed on as it is: it is never evaluated.

const bash = `_pawl() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(pawl complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _pawl pawl
`;

const zsh = `#compdef pawl
_pawl() {
  local line value
  local -a described
  while IFS= read -r line; do
    value="\${line%%$'\\t'*}"
    described+=("\${value//:/\\\\:}:\${line#*$'\\t'}")
  done < <(pawl complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#described} )); then
    _describe pawl described
  else
    _files
  fi
}
if [[ "\${funcstack[1]}" == _pawl ]]; then
  _pawl "$@"
else
  compdef _pawl pawl
fi
`;

const fish = `function __pawl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found (pawl complete -- $words[2..-1] "$current" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path "$current"
    end
end
complete -c pawl -f -a '(__pawl_complete)'
`;

export type Shell = 'bash' | 'fish' | 'zsh';

/** What a shell reads to complete the command, by shell. */
export const completionScripts: Readonly<Record<Shell, string>> = { bash, zsh, fish };
