import { WharfError } from '../../../base/index.ts';
import type { Reference } from '../../../oci/index.ts';
import type { CommandSpec, Context } from '../../command.ts';
import { flag } from '../../flags.ts';
import { entryJson, imageReference, listJson, type ManifestEntry } from '../../manifest/entry.ts';
import { localLists } from '../../manifest/local-lists.ts';
import { oneRegistry } from '../../manifest/one-registry.ts';
import { fetchEntries, openRemote } from '../../manifest/remote.ts';
import { safeText } from '../../sanitize.ts';
import { indentJson } from '../../template/index.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] [MANIFEST_LIST] MANIFEST',
  summary: 'Display an image manifest, or manifest list',
  flags: [
    flag('insecure', 'bool', 'Allow communication with an insecure registry'),
    flag('v,verbose', 'bool', 'Output additional info including layers and platform'),
  ],
  arity: { min: 1, max: 2 },
  completes: 'remote',
  async run(context, flags) {
    const [first = '', second] = flags.operands;
    const name = imageReference(second ?? first);
    const verbose = flags.bool('verbose');
    const lists = localLists(context);
    if (second !== undefined) {
      const entry = lists.get(imageReference(first), name);
      if (!entry) throw new WharfError('not-found', `No such manifest: ${name.canonical()}`);
      return showImage(context, entry, verbose);
    }
    const local = lists.list(name);
    if (local) return showList(context, name, local, verbose);
    using remote = await openRemote(context, [name], flags.bool('insecure'));
    const found = await fetchEntries(remote, name);
    if ('image' in found) return showImage(context, found.image, verbose);
    return showList(context, name, found.list, verbose);
  },
};

function show(context: Context, text: string): number {
  context.print(`${context.stdout.isTTY ? safeText(text) : text}\n`);
  return 0;
}

function showImage(context: Context, entry: ManifestEntry, verbose: boolean): number {
  return show(context, indentJson(verbose ? entryJson(entry) : entry.raw.toString(), '', '\t'));
}

function showList(
  context: Context,
  name: Reference,
  entries: readonly ManifestEntry[],
  verbose: boolean,
): number {
  if (verbose) return show(context, indentJson(`[${entries.map(entryJson).join(',')}]`, '', '\t'));
  oneRegistry(name, entries, 'failed to assemble ManifestDescriptor: ');
  return show(context, indentJson(listJson(entries), '', '   '));
}
