import { mapLimit, WharfError } from '../../../base/index.ts';
import type { Repository } from '../../../registry/types.ts';
import type { CommandSpec } from '../../command.ts';
import { flag } from '../../flags.ts';
import { imageReference } from '../../manifest/entry.ts';
import { openRemote } from '../../manifest/remote.ts';
import { listFormat } from '../../shared-flags.ts';
import { renderListing, row } from '../../table.ts';
import { naturalOrder, tagPattern } from '../../tag-order.ts';

/** How many digests are asked for at once. */
const AT_ONCE = 8;
/** No more tags of one image are read: a registry could go on for ever. */
const MAX_TAGS = 1_000_000;

export const command: CommandSpec = {
  usage: '[OPTIONS] IMAGE [PATTERN]',
  summary: 'List the tags that a registry has for an image',
  flags: [
    flag('digests', 'bool', 'Show digests'),
    listFormat(),
    flag('insecure', 'bool', 'Allow communication with an insecure registry'),
    flag('n,limit', 'int', 'Show only so many tags, the highest version first'),
  ],
  arity: { min: 1, max: 2 },
  completes: 'remote',
  async run(context, flags) {
    const [image = '', pattern] = flags.operands;
    const name = imageReference(image);
    if (name.digest !== undefined || /:[^/]+$/.test(image))
      throw new WharfError('invalid', 'the image is named without tag or digest');
    const fits = tagPattern(pattern ?? '*');
    using remote = await openRemote(context, [name], flags.bool('insecure'));
    const repository = await remote.repository(name, ['pull']);
    const found: string[] = [];
    let seen = 0;
    for await (const tag of repository.tags()) {
      if (++seen > MAX_TAGS) throw new WharfError('exhausted', `the image has more than ${MAX_TAGS} tags`);
      if (fits(tag)) found.push(tag);
    }
    found.sort((a, b) => naturalOrder(b, a));
    const limit = flags.number('limit');
    const tags = limit > 0 ? found.slice(0, limit) : found;
    const chosen = flags.string('format');
    const wanted = flags.bool('digests') || chosen.includes('.Digest');
    const digests = wanted ? await digestsOf(repository, tags) : undefined;
    const standard = digests ? 'table {{.Tag}}\t{{.Digest}}' : '{{.Tag}}';
    const format =
      chosen === '' ? standard : chosen === 'table' ? `table ${standard.replace(/^table /, '')}` : chosen;
    const rows = tags.map((tag, at) =>
      row({
        ...(digests ? { Digest: () => digests[at] ?? '<none>' } : {}),
        Name: () => `${name.familiarName}:${tag}`,
        Repository: () => name.familiarName,
        Tag: () => tag,
      }),
    );
    const headers = { Tag: 'TAG', Digest: 'DIGEST', Name: 'NAME', Repository: 'REPOSITORY' };
    context.print(await renderListing({ format, typeName: '*tags.context', headers, rows }));
    return 0;
  },
};

/** What each tag stands for; `<none>` for one that was removed in the meantime. */
async function digestsOf(repository: Repository, tags: readonly string[]): Promise<string[]> {
  return mapLimit(tags, AT_ONCE, async (tag) => {
    try {
      return (await repository.resolve(tag)).digest;
    } catch (thrown) {
      if (thrown instanceof WharfError && thrown.kind === 'not-found') return '<none>';
      throw thrown;
    }
  });
}
