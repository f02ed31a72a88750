import { type CommandSpec, NO_OPERANDS } from '../../command.ts';

const SCRIPT = `#compdef wharf
_wharf() {
  local -a offers
  offers=("\${(@f)$(wharf __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$offers[1]" ]]; then compadd -a offers; else _files; fi
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
