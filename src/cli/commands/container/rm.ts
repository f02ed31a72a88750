import { isKind, WharfError } from '../../../base/index.ts';
import { planRemove, removeContainer } from '../../../client/index.ts';
import { atLeast, type CommandSpec } from '../../command.ts';
import { forEachAtOnce } from '../../each.ts';
import { describeError } from '../../errors.ts';
import { flag } from '../../flags.ts';
import { isDryRun, planFlags, showPlan } from '../../plan.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Remove one or more containers',
  flags: [
    flag('f,force', 'bool', 'Force the removal of a running container (uses SIGKILL)'),
    flag('l,link', 'bool', 'Remove the specified link'),
    flag('v,volumes', 'bool', 'Remove anonymous volumes associated with the container'),
    ...planFlags,
  ],
  arity: atLeast(1),
  completes: 'containers',
  async run(context, flags) {
    const [force, link, volumes] = [flags.bool('force'), flags.bool('link'), flags.bool('volumes')];
    if (isDryRun(flags)) {
      if (link) throw new WharfError('invalid', 'conflicting options: --dry-run and --link');
      const plan = await planRemove(context.client(), 'containers', flags.operands, { force, volumes });
      return showPlan(context, flags, plan);
    }
    const query = { force, link, v: volumes };
    return forEachAtOnce(context, flags.operands, async (operand) => {
      const id = operand.replace(/^\/+/, '');
      if (id === '') throw new WharfError('invalid', 'container name cannot be empty');
      try {
        await removeContainer(context.client(), id, query);
      } catch (thrown) {
        if (!force || !isKind(thrown, 'not-found')) throw thrown;
        // With --force the container being gone is what was asked for: told, and no failure.
        context.warn(`${describeError(thrown)}\n`);
        return false;
      }
      return operand;
    });
  },
};
