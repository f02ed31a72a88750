import { isKind } from '../../../base/index.ts';
import { planRemove, removeNetwork } from '../../../client/index.ts';
import { atLeast, type CommandSpec } from '../../command.ts';
import { describeError } from '../../errors.ts';
import { flag } from '../../flags.ts';
import { isDryRun, planFlags, showPlan } from '../../plan.ts';

export const command: CommandSpec = {
  usage: 'NETWORK [NETWORK...]',
  summary: 'Remove one or more networks',
  flags: [flag('f,force', 'bool', 'Do not error if the network does not exist'), ...planFlags],
  arity: atLeast(1),
  completes: 'networks',
  async run(context, flags) {
    if (isDryRun(flags)) {
      const plan = await planRemove(context.client(), 'networks', flags.operands, {
        force: flags.bool('force'),
      });
      return showPlan(context, flags, plan);
    }
    let failed = false;
    for (const name of flags.operands) {
      try {
        await removeNetwork(context.client(), name);
        context.print(`${name}\n`);
      } catch (thrown) {
        if (flags.bool('force') && isKind(thrown, 'not-found')) continue;
        context.warn(`${describeError(thrown)}\n`);
        failed = true;
      }
    }
    if (failed) context.warn('exit status 1\n');
    return failed ? 1 : 0;
  },
};
