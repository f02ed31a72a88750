import type { Plan, PlanItem } from '../../../api/index.ts';
import { WharfError } from '../../../base/index.ts';
import { atLeast, type CommandSpec, ExitError } from '../../command.ts';
import { describeError } from '../../errors.ts';
import { imageReference } from '../../manifest/entry.ts';
import { type LocalLists, localLists } from '../../manifest/local-lists.ts';
import { isDryRun, planFlags, showPlan } from '../../plan.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] MANIFEST_LIST [MANIFEST_LIST...]',
  summary: 'Delete one or more manifest lists from local storage',
  flags: planFlags,
  arity: atLeast(1),
  run(context, flags) {
    const lists = localLists(context);
    if (isDryRun(flags)) return showPlan(context, flags, planOf(lists, flags.operands));
    const errors = flags.operands.flatMap((operand) => {
      try {
        const list = imageReference(operand);
        if (lists.list(list) === undefined)
          throw new WharfError('not-found', `No such manifest: ${list.canonical()}`);
        lists.remove(list);
        return [];
      } catch (thrown) {
        return [describeError(thrown)];
      }
    });
    if (errors.length > 0) throw new ExitError(1, errors.join('\n'));
    return 0;
  },
};

function planOf(lists: LocalLists, operands: readonly string[]): Plan {
  const Items = operands.map((operand): PlanItem => {
    const Kind = 'manifest list';
    try {
      const name = imageReference(operand);
      const bytes = lists.bytes(name);
      if (bytes === undefined) throw new WharfError('not-found', `No such manifest: ${name.canonical()}`);
      return { Kind, ID: '', Name: name.canonical(), Bytes: bytes };
    } catch (thrown) {
      return { Kind, ID: '', Name: operand, Bytes: 0, Reason: describeError(thrown) };
    }
  });
  return { Items, Bytes: Items.reduce((sum, { Bytes }) => sum + Bytes, 0) };
}
