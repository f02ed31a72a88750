import { type CommandSpec, NO_OPERANDS } from '../../command.ts';

const SCRIPT = `#compdef wharf
_wharf() {
  local found
  local -a offers
  found=$(wharf __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( $? == 3 )); then
    [[ -prefix -*= ]] && compset -P 1 '*='
    _files
    return
  fi
  offers=("\${(@f)found}")
  [[ -n "$offers[1]" ]] || return 1
  compadd -S '' -- "\${(@M)offers:#*[=:]}"
  compadd -- "\${(@)offers:#*[=:]}"
}
compdef _wharf wharf
`;

export const command: CommandSpec = {
  usage: '',
  summary: 'Write the completion script for zsh',
  flags: [],
  arity: NO_OPERANDS,
  run(context) {
    context.print(SCRIPT);
    return 0;
  },
};
