import { filterText, pruneImages } from '../../../client/index.ts';
import { type CommandSpec, NO_OPERANDS } from '../../command.ts';
import { confirmed, pruneFlags } from '../../confirm.ts';
import { flag } from '../../flags.ts';
import { humanSize } from '../../human.ts';
import { filtersOf } from '../../shared-flags.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS]',
  summary: 'Remove unused images',
  flags: pruneFlags('Provide filter values (e.g. "until=<timestamp>")', [
    flag('a,all', 'bool', 'Remove all unused images, not just dangling ones'),
  ]),
  arity: NO_OPERANDS,
  async run(context, flags) {
    const all = flags.bool('all');
    const what = all ? 'all images without at least one container associated to them' : 'all dangling images';
    if (!(await confirmed(context, flags, `WARNING! This will remove ${what}.`))) return 0;
    const filters = { ...filtersOf(flags.list('filter')), dangling: [String(!all)] };
    const report = await pruneImages(context.client(), filterText(filters));
    const steps = report.ImagesDeleted ?? [];
    if (steps.length > 0) {
      context.print(
        `Deleted Images:\n${steps.map((step) => (step.Untagged ? `untagged: ${step.Untagged}\n` : `deleted: ${step.Deleted}\n`)).join('')}\n`,
      );
    }
    context.print(`Total reclaimed space: ${humanSize(report.SpaceReclaimed ?? 0)}\n`);
    return 0;
  },
};
