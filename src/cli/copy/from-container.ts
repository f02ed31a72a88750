import { pipeline } from 'node:stream/promises';
import { getArchive, isPathMode, type PathStat, statContainerPath } from '../../client/index.ts';
import type { Context } from '../command.ts';
import type { CopyOptions } from './copy-options.ts';
import { absolutePath, checkTarget, localTarget } from './local-ends.ts';
import { extractLocal } from './local-files.ts';
import { placeCopy, renamedByLink, resolveBeside, splitPath } from './paths.ts';
import { copyProgress } from './progress.ts';
import { rebased } from './rebase.ts';

/** Copies a file or folder of a container to here, or as a tar to standard output. */
export async function copyFromContainer(
  context: Context,
  source: { container: string; path: string },
  target: string,
  options: CopyOptions,
): Promise<void> {
  const place = target === '-' ? undefined : absolutePath(target);
  if (place !== undefined) checkTarget(place);
  const { path, name } = options.followLink
    ? await followed(context, source)
    : { path: source.path, name: undefined };
  const { stat, archive } = await getArchive(context.client(), source.container, path);
  if (place === undefined) return pipeline(archive, context.stdout, { end: false });
  const progress = copyProgress(context, 'Copying from container', options.quiet);
  try {
    const counted = progress.count<Buffer>(archive);
    await unpack(counted, { path, name, stat }, place, options);
    progress.done(place);
  } finally {
    progress.stop();
    archive.destroy();
  }
}

/** What a link in the container leads to; a path that is none, or cannot be looked at, is itself. */
async function followed(
  context: Context,
  { container, path }: { container: string; path: string },
): Promise<{ path: string; name: string | undefined }> {
  const stat = await statContainerPath(context.client(), container, path).catch(() => undefined);
  if (!stat || !isPathMode(stat, 'link')) return { path, name: undefined };
  return renamedByLink(path, resolveBeside(path, stat.linkTarget));
}

/** Unpacks what came where it belongs; `name` is the one that it was asked for by, where its own is another. */
async function unpack(
  archive: AsyncIterable<Uint8Array>,
  source: { path: string; name: string | undefined; stat: PathStat },
  place: string,
  options: CopyOptions,
): Promise<void> {
  const target = localTarget(place);
  const { folder, name = source.name } = placeCopy(isPathMode(source.stat, 'directory'), target);
  const own = source.path === '/' ? '/' : splitPath(source.path).name;
  const content = name === undefined || name === own ? archive : rebased(archive, own, name);
  await extractLocal(content, folder, options.archive && process.geteuid?.() === 0);
}
