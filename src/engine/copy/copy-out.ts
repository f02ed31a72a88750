import { packView } from '../../archive/index.ts';
import { publishContainerEvent } from '../containers/index.ts';
import { containerPath, entryName } from './container-path.ts';
import { openContainerView } from './container-view.ts';
import { refuseNul } from './copy-errors.ts';
import { type PathStat, statPath } from './path-stat.ts';
import type { CopyDeps } from './types.ts';

/** A path's archive. The container's files are held until it is disposed of, which also ends the packing. */
export interface CopyOut extends AsyncDisposable {
  stat: PathStat;
  archive: AsyncIterable<Uint8Array>;
}

/** The tar of a file or folder of a container. What can't be packed breaks the archive off. */
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
  const archive = packView(view, { path: path.path, name: entryName(path), signal });
  opened.defer(async () => void (await archive.return(undefined)));
  publishContainerEvent(deps.events, record, 'archive-path');
  const kept = opened.move();
  return { stat, archive, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
