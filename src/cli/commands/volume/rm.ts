import { planRemove, removeVolume } from '../../../client/index.ts';
import { atLeast, type CommandSpec } from '../../command.ts';
import { forEach } from '../../each.ts';
import { flag } from '../../flags.ts';
import { isDryRun, planFlags, showPlan } from '../../plan.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  summary: 'Remove one or more volumes. A volume that a container uses stays.',
  flags: [flag('f,force', 'bool', 'Force the removal of one or more volumes'), ...planFlags],
  arity: atLeast(1),
  completes: 'volumes',
  async run(context, flags) {
    const force = flags.bool('force');
    if (isDryRun(flags))
      return showPlan(
        context,
        flags,
        await planRemove(context.client(), 'volumes', flags.operands, { force }),
      );
    return forEach(context, flags.operands, (name) => removeVolume(context.client(), name, force));
  },
};
