import type { FilesystemChange } from '../../api/index.ts';
import type { ChangeKind, Snapshotter } from '../../snapshot/types.ts';
import type { ContainerStore } from './store.ts';

/** `Kind` of a change on the wire. */
const KINDS: Readonly<Record<ChangeKind, number>> = { modified: 0, added: 1, deleted: 2 };

/** What a container changed in its filesystem against its image. */
export async function containerChanges(
  deps: { store: Pick<ContainerStore, 'resolve'>; snapshotter: Pick<Snapshotter, 'changes'> },
  ref: string,
): Promise<FilesystemChange[]> {
  const record = deps.store.resolve(ref);
  const changes = await deps.snapshotter.changes(record.id);
  return changes.map(({ path, kind }) => ({ Path: path, Kind: KINDS[kind] }));
}
