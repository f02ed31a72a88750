import { WharfError } from '../../../base/index.ts';
import { type Descriptor, MediaTypes, parseReference, type Reference } from '../../../oci/index.ts';
import type { Repository } from '../../../registry/types.ts';
import { type CommandSpec, exactly } from '../../command.ts';
import { flag } from '../../flags.ts';
import { imageReference, listJson, type ManifestEntry } from '../../manifest/entry.ts';
import { localLists } from '../../manifest/local-lists.ts';
import { oneRegistry } from '../../manifest/one-registry.ts';
import { openRemote } from '../../manifest/remote.ts';
import { indentJson } from '../../template/index.ts';

export const command: CommandSpec = {
  usage: '[OPTIONS] MANIFEST_LIST',
  summary: 'Push a manifest list to a repository',
  flags: [
    flag('insecure', 'bool', 'Allow push to an insecure registry'),
    flag('p,purge', 'bool', 'Remove the local manifest list after push'),
  ],
  arity: exactly(1),
  async run(context, flags) {
    const target = imageReference(flags.operands[0] ?? '');
    const lists = localLists(context);
    const entries = lists.list(target);
    if (!entries) throw new WharfError('not-found', `No such manifest: ${target.canonical()}`);
    if (entries.length === 0) throw new WharfError('not-found', `${target.canonical()} not found`);
    checkPlatforms(entries);
    oneRegistry(target, entries);
    using remote = await openRemote(context, [target], flags.bool('insecure'));
    const repository = await remote.repository(target, ['pull', 'push']);
    for (const entry of entries) await mountBlobs(repository, target, entry);
    for (const entry of entries) {
      const digest = await repository.putManifest(entry.raw, entry.mediaType, entry.digest);
      context.print(`Pushed ref ${target.name}@${entry.digest} with digest: ${digest}\n`);
    }
    const list = indentJson(listJson(entries), '', '   ');
    const type = (JSON.parse(list) as { mediaType: string }).mediaType;
    const digest = await repository.putManifest(Buffer.from(list), type, target.tag ?? 'latest');
    context.print(`${digest}\n`);
    if (flags.bool('purge')) lists.remove(target);
    return 0;
  },
};

function checkPlatforms(entries: readonly ManifestEntry[]): void {
  for (const { ref, platform } of entries)
    if (!platform?.architecture || !platform.os)
      throw new WharfError(
        'invalid',
        `manifest ${ref} must have an OS and Architecture to be pushed to a registry`,
      );
}

/** Brings what an image of another repository needs into this one, within the registry. */
async function mountBlobs(repository: Repository, target: Reference, entry: ManifestEntry): Promise<void> {
  const from = parseReference(entry.ref);
  if (from.path === target.path) return;
  const { config, layers } = JSON.parse(entry.raw.toString()) as {
    config: Descriptor;
    layers: Descriptor[];
  };
  for (const blob of [config, ...layers]) {
    if (blob.mediaType === MediaTypes.dockerForeignLayer || (await repository.statBlob(blob.digest)))
      continue;
    if (!(await repository.mountBlob(blob.digest, from.path)))
      throw new WharfError('unavailable', `error mounting ${from.name}@${blob.digest} to ${target.name}`);
  }
}
