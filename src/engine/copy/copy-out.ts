import { packView } from '../../archive/index.ts';
import { publishContainerEvent } from '../containers/index.ts';
import { type ContainerPath, containerPath, entryName } from './container-path.ts';
import { openContainerView } from './container-view.ts';
import { lookupError, refuseNul } from './copy-errors.ts';
import { type PathStat, statPath } from './path-stat.ts';
import type { CopyDeps } from './types.ts';

/** A path's archive. The container's files are held until it is disposed of, which also ends the packing. */
export interface CopyOut extends AsyncDisposable {
  stat: PathStat;
  archive: AsyncIterable<Uint8Array>;
}

/** The tar of a file or folder of a container. What can't be packed later breaks the archive off. */
export async function copyOut(
  deps: CopyDeps,
  ref: string,
  asked: string,
  signal: AbortSignal,
): Promise<CopyOut> {
  const path = containerPath(asked);
  refuseNul(path);
  await using opened = new AsyncDisposableStack();
  const { view, record } = opened.use(await openContainerView(deps, ref));
  const stat = statPath(view, ref, path);
  const pieces = packView(view, { path: path.path, name: entryName(path), signal });
  opened.defer(async () => void (await pieces.return(undefined)));
  const first = await firstPiece(pieces, ref, path);
  publishContainerEvent(deps.events, record, 'archive-path');
  const kept = opened.move();
  return { stat, archive: behind(first, pieces), [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

/** Made before the answer begins, so that a path which went away since it was looked at is told as missing. */
async function firstPiece(
  pieces: AsyncGenerator<Buffer>,
  ref: string,
  path: ContainerPath,
): Promise<IteratorResult<Buffer>> {
  try {
    return await pieces.next();
  } catch (thrown) {
    throw lookupError(ref, path, path.path, thrown);
  }
}

async function* behind(first: IteratorResult<Buffer>, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}
