import { WharfError } from '../../../base/index.ts';
import { atLeast, type CommandSpec } from '../../command.ts';
import { flag } from '../../flags.ts';
import { imageReference } from '../../manifest/entry.ts';
import { localLists } from '../../manifest/local-lists.ts';
import { fetchImage, openRemote } from '../../manifest/remote.ts';

export const command: CommandSpec = {
  usage: 'MANIFEST_LIST MANIFEST [MANIFEST...]',
  summary: 'Create a local manifest list for annotating and pushing to a registry',
  flags: [
    flag('a,amend', 'bool', 'Amend an existing manifest list'),
    flag('insecure', 'bool', 'Allow communication with an insecure registry'),
  ],
  arity: atLeast(2),
  completes: 'remote',
  async run(context, flags) {
    const [target = '', ...images] = flags.operands;
    const list = imageReference(target, `error parsing name for manifest list ${target}: `);
    const lists = localLists(context);
    if (lists.list(list) !== undefined && !flags.bool('amend'))
      throw new WharfError('conflict', 'refusing to amend an existing manifest list with no --amend flag');
    const names = images.map((image) => imageReference(image));
    using remote = await openRemote(context, names, flags.bool('insecure'));
    for (const name of names) {
      const known = lists.get(list, name);
      lists.save(list, name, known ?? (await fetchImage(remote, name)));
    }
    context.print(`Created manifest list ${list.canonical()}\n`);
    return 0;
  },
};
