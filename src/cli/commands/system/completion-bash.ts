import { type CommandSpec, NO_OPERANDS } from '../../command.ts';

const SCRIPT = `_wharf() {
  local words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  mapfile -t COMPREPLY < <(wharf __complete -- "\${words[@]}" 2>/dev/null)
  [ \${#COMPREPLY[@]} -gt 0 ] || compopt -o default
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
