import { type CommandSpec, NO_OPERANDS } from '../../command.ts';

const SCRIPT = `function __wharf_offers
  set -l words (commandline -opc) (commandline -ct)
  set -l offers (wharf __complete -- $words[2..-1] 2>/dev/null)
  if test $status -eq 3
    __fish_complete_path (commandline -ct)
    return
  end
  printf '%s\\n' $offers
end
complete -c wharf -f -a "(__wharf_offers)"
`;

export const command: CommandSpec = {
  usage: '',
  summary: 'Write the completion script for fish',
  flags: [],
  arity: NO_OPERANDS,
  run(context) {
    context.print(SCRIPT);
    return 0;
  },
};
