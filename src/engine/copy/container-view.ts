import type { TreeView } from '../../archive/index.ts';
import type { Fd } from '../../sys/index.ts';
import type { ContainerRecord } from '../containers/index.ts';
import { liveMounts } from './live-mounts.ts';
import { makeMountTargets } from './mount-targets.ts';
import { storedMounts } from './stored-mounts.ts';
import type { CopyDeps } from './types.ts';

/** A container's files for copying, held until it is disposed of. */
export interface ContainerView extends AsyncDisposable {
  record: ContainerRecord;
  view: TreeView;
  root: Fd;
}

/**
 * Opens a container's files as it sees them, or will see them when it starts. Errors: `not-found` with Docker's text for the
 * container; those of its volumes.
 */
export async function openContainerView(deps: CopyDeps, ref: string): Promise<ContainerView> {
  const { id } = deps.store.resolve(ref);
  await using opened = new AsyncDisposableStack();
  const { fd, record, running } = opened.use(await deps.roots.open(deps, id));
  const live = running ? liveMounts(fd, record, opened.use(new DisposableStack())) : undefined;
  const mounts = live ?? (await storedMounts(deps, record, opened));
  if (!running) makeMountTargets(fd, mounts);
  const view = { root: fd.fd, readOnly: record.hostConfig.ReadonlyRootfs === true, mounts };
  const kept = opened.move();
  return { record, view, root: fd, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
