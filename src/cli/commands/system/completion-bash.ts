import { type CommandSpec, NO_OPERANDS } from '../../command.ts';

// Bash breaks words at "=" and ":", too: the line is split here instead, and what stands before the break is cut off.
const SCRIPT = `_wharf() {
  local line=\${COMP_LINE:0:COMP_POINT} words offers current
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=\${words[-1]}
  offers=$(wharf __complete -- "\${words[@]:1}" 2>/dev/null)
  if [ $? -eq 3 ]; then compopt -o default; return; fi
  [ -n "$offers" ] || return
  mapfile -t COMPREPLY <<< "$offers"
  COMPREPLY=("\${COMPREPLY[@]#"\${current%"\${current##*[=:]}"}"}")
  [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *[=:] ]] && compopt -o nospace
}
complete -F _wharf wharf
`;

export const command: CommandSpec = {
  usage: '',
  summary: 'Write the completion script for bash',
  flags: [],
  arity: NO_OPERANDS,
  run(context) {
    context.print(SCRIPT);
    return 0;
  },
};
