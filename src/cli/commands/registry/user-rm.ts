import { atLeast, type CommandSpec } from '../../command.ts';
import { USERS_FLAG, usersFile } from './user-file.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] USER [USER...]',
  summary: 'Remove one or more users',
  flags: [USERS_FLAG],
  arity: atLeast(1),
  async run(context, flags) {
    const { removeUsers } = await import('../../../registryd/index.ts');
    removeUsers(usersFile(flags), flags.operands);
    for (const name of flags.operands) context.print(`${name}\n`);
    return 0;
  },
};
