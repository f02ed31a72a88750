import { atLeast, type CommandSpec } from '../../command.ts';
import { isDryRun, planFlags, showPlan } from '../../plan.ts';
import { USERS_FLAG, usersFile } from './user-file.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] USER [USER...]',
  summary: 'Remove one or more users',
  flags: [USERS_FLAG, ...planFlags],
  arity: atLeast(1),
  async run(context, flags) {
    const { listUsers, removeUsers } = await import('../../../registryd/index.ts');
    if (isDryRun(flags)) {
      const users = new Set(listUsers(usersFile(flags)));
      const Items = flags.operands.map((Name) => ({
        ...{ Kind: 'user' as const, ID: '', Name, Bytes: 0 },
        ...(users.has(Name) ? {} : { Reason: `no such user: ${Name}` }),
      }));
      return showPlan(context, flags, { Items, Bytes: 0 });
    }
    removeUsers(usersFile(flags), flags.operands);
    for (const name of flags.operands) context.print(`${name}\n`);
    return 0;
  },
};
