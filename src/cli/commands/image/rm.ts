import { isKind, WharfError } from '../../../base/index.ts';
import { planRemove, removeImage } from '../../../client/index.ts';
import { atLeast, type CommandSpec } from '../../command.ts';
import { describeError } from '../../errors.ts';
import { flag } from '../../flags.ts';
import { isDryRun, planFlags, showPlan } from '../../plan.ts';
import { platformQuery } from '../../platform.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  summary: 'Remove one or more images',
  flags: [
    flag('f,force', 'bool', 'Force removal of the image'),
    flag('no-prune', 'bool', 'Do not delete untagged parents'),
    flag(
      'platform',
      'strings',
      'Remove only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    ),
    ...planFlags,
  ],
  arity: atLeast(1),
  completes: 'images',
  async run(context, flags) {
    const platforms = flags.list('platform').flatMap((each) => platformQuery(each) ?? []);
    const query = {
      force: flags.bool('force'),
      noprune: flags.bool('no-prune'),
      platforms: platforms.length > 0 ? platforms : undefined,
    };
    if (isDryRun(flags)) {
      if (platforms.length > 0)
        throw new WharfError('invalid', 'conflicting options: --dry-run and --platform');
      const plan = await planRemove(context.client(), 'images', flags.operands, { force: query.force });
      return showPlan(context, flags, plan);
    }
    const errors: string[] = [];
    let fatal = false;
    for (const name of flags.operands) {
      try {
        for (const step of await removeImage(context.client(), name, query)) {
          context.print(step.Deleted ? `Deleted: ${step.Deleted}\n` : `Untagged: ${step.Untagged}\n`);
        }
      } catch (thrown) {
        if (!isKind(thrown, 'not-found')) fatal = true;
        errors.push(describeError(thrown));
      }
    }
    if (errors.length === 0) return 0;
    context.warn(`${errors.join('\n')}\n`);
    return fatal || !flags.bool('force') ? 1 : 0;
  },
};
