import { pipeline } from 'node:stream/promises';
import {
  copiesInPlace,
  getArchive,
  getInPlace,
  isPathMode,
  type PathStat,
  statContainerPath,
} from '../../client/index.ts';
import type { Context } from '../command.ts';
import type { CopyOptions } from './copy-options.ts';
import { absolutePath, checkTarget, localTarget } from './local-ends.ts';
import { extractLocal, inFolder } from './local-files.ts';
import { placeCopy, renamedByLink, resolveBeside, splitPath } from './paths.ts';
import { type CopyProgress, copyProgress } from './progress.ts';
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
  if (place === undefined) {
    const { archive } = await getArchive(context.client(), source.container, path);
    return pipeline(archive, context.stdout, { end: false });
  }
  const progress = copyProgress(context, 'Copying from container', options.quiet);
  const copy = { container: source.container, path, name };
  try {
    if (!(await inPlace(context, copy, place, options, progress)))
      await stream(context, copy, place, options, progress);
    progress.done(place);
  } finally {
    progress.stop();
  }
}

/** What is copied: `name` is the one that it was asked for by, where its own is another. */
interface Copied {
  container: string;
  path: string;
  name: string | undefined;
}

/** Has the engine write it here by itself. False where it does not, or where what is there cannot be looked at. */
async function inPlace(
  context: Context,
  { container, path, name }: Copied,
  place: string,
  options: CopyOptions,
  progress: CopyProgress,
): Promise<boolean> {
  if (!copiesInPlace(context.client())) return false;
  const stat = await statContainerPath(context.client(), container, path).catch(() => undefined);
  if (!stat) return false;
  const to = placeCopy(isPathMode(stat, 'directory'), localTarget(place));
  const target = { folder: to.folder, name: to.name ?? name, keepOwners: options.archive };
  try {
    return await getInPlace(context.client(), container, { path, target }, progress.reached);
  } catch (thrown) {
    throw inFolder(thrown, to.folder);
  }
}

/** Takes its tar and unpacks it. */
async function stream(
  context: Context,
  { container, path, name }: Copied,
  place: string,
  options: CopyOptions,
  progress: CopyProgress,
): Promise<void> {
  const { stat, archive } = await getArchive(context.client(), container, path);
  try {
    await unpack(progress.count<Buffer>(archive), { path, name, stat }, place, options);
  } finally {
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
