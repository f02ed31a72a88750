import type { CommandSpec } from '../../command.ts';
import { DEFAULT_REGISTRY } from '../../registry-auth.ts';
import { saveAuths } from './login.ts';

export const command: CommandSpec = {
  usage: '[SERVER]',
  summary: 'Log out from a registry',
  flags: [],
  arity: { min: 0, max: 1 },
  run(context, flags) {
    const server = flags.operands[0] ?? DEFAULT_REGISTRY;
    const config = context.config();
    context.print(`Removing login credentials for ${server}\n`);
    if (config.auths?.[server]) {
      const { [server]: _gone, ...auths } = config.auths;
      saveAuths(config, auths);
    }
    return 0;
  },
};
