import { type CommandSpec, NO_OPERANDS } from '../../command.ts';

export const command: CommandSpec = {
  usage: '',
  summary: 'Print the name of the current context',
  flags: [],
  arity: NO_OPERANDS,
  run(context) {
    context.print(`${context.contextName()}\n`);
    return 0;
  },
};
