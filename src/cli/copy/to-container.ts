import { WharfError } from '../../base/index.ts';
import { isPathMode, type PathStat, putArchive, putInPlace, statContainerPath } from '../../client/index.ts';
import type { Context } from '../command.ts';
import type { CopyOptions } from './copy-options.ts';
import { absolutePath, localSource } from './local-ends.ts';
import { bodyOf, packLocal } from './local-files.ts';
import { type CopyEnd, placeCopy, resolveBeside } from './paths.ts';
import { copyProgress } from './progress.ts';

/** Copies a file or folder from here, or a tar from standard input, into a container. */
export async function copyToContainer(
  context: Context,
  source: string,
  target: { container: string; path: string },
  options: CopyOptions,
): Promise<void> {
  const shown = `${target.container}:${target.path}`;
  const end = await containerEnd(context, target);
  const put = (path: string, body: NodeJS.ReadableStream) =>
    putArchive(context.client(), target.container, { path, body, copyUidGid: options.archive });
  if (source === '-') {
    if (!end.isFolder) throw new WharfError('invalid', `destination "${shown}" must be a directory`);
    return put(end.path, context.stdin);
  }
  const local = localSource(absolutePath(source), options.followLink);
  const { folder, name = local.shownName } = placeCopy(local.isFolder, end);
  const progress = copyProgress(context, 'Copying to container', options.quiet);
  const stream = async () => {
    const body = bodyOf(progress.count(packLocal(local, name)));
    try {
      await put(folder, body);
    } finally {
      body.destroy();
    }
  };
  const inPlace = {
    path: folder,
    source: { folder: local.folder, entry: local.name, name },
    copyUidGid: options.archive,
  };
  try {
    if (!(await putInPlace(context.client(), target.container, inPlace, progress.reached))) await stream();
    progress.done(shown);
  } finally {
    progress.stop();
  }
}

/** What is at the place in the container, a link followed once; what cannot be looked at is not there. */
async function containerEnd(
  context: Context,
  { container, path }: { container: string; path: string },
): Promise<CopyEnd> {
  const look = (at: string): Promise<PathStat | undefined> =>
    statContainerPath(context.client(), container, at).catch((thrown: unknown) => {
      if (thrown instanceof WharfError && thrown.kind !== 'unavailable') return undefined;
      throw thrown;
    });
  let at = path;
  let stat = await look(at);
  if (stat && isPathMode(stat, 'link')) {
    at = resolveBeside(at, stat.linkTarget);
    stat = await look(at);
  }
  if (!stat) return { path: at, exists: false, isFolder: false };
  const wrong = isPathMode(stat, 'device')
    ? 'got a device'
    : isPathMode(stat, 'irregular')
      ? 'got an irregular file'
      : undefined;
  if (wrong !== undefined)
    throw new WharfError(
      'invalid',
      `destination "${container}:${path}" must be a directory or a regular file: ${wrong}`,
    );
  return { path: at, exists: true, isFolder: isPathMode(stat, 'directory') };
}
