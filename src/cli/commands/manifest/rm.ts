import { WharfError } from '../../../base/index.ts';
import { atLeast, type CommandSpec, ExitError } from '../../command.ts';
import { describeError } from '../../errors.ts';
import { imageReference } from '../../manifest/entry.ts';
import { localLists } from '../../manifest/local-lists.ts';

export const command: CommandSpec = {
  usage: 'MANIFEST_LIST [MANIFEST_LIST...]',
  summary: 'Delete one or more manifest lists from local storage',
  flags: [],
  arity: atLeast(1),
  run(context, flags) {
    const lists = localLists(context);
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
