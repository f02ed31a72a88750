import { atLeast, type CommandSpec } from '../../command.ts';
import { buildRequest, create } from '../../run/creating.ts';
import { CONTAINER_FLAGS } from '../../run/flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  summary: 'Create a new container',
  flags: CONTAINER_FLAGS,
  arity: atLeast(1),
  interspersed: false,
  completes: 'images',
  async run(context, flags) {
    const request = buildRequest(context, flags);
    context.print(`${await create(context, flags, request)}\n`);
    return 0;
  },
};
