import { type CommandSpec, NO_OPERANDS } from '../../command.ts';
import { safeCell } from '../../sanitize.ts';
import { USERS_FLAG, usersFile } from './user-file.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS]',
  summary: 'List users',
  flags: [USERS_FLAG],
  arity: NO_OPERANDS,
  async run(context, flags) {
    const { listUsers } = await import('../../../registryd/index.ts');
    for (const name of listUsers(usersFile(flags))) context.print(`${safeCell(name)}\n`);
    return 0;
  },
};
