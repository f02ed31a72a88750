import type { ContainerStore } from './store.ts';

/** Ids of the containers, running or not, that have a mount of that volume. */
export function volumeUsers(store: Pick<ContainerStore, 'all'>, volume: string): string[] {
  return store
    .all()
    .filter((record) => record.mounts.some((mount) => mount.Type === 'volume' && mount.Name === volume))
    .map((record) => record.id);
}

/** Names of all volumes that some container has a mount of. */
export function usedVolumes(store: Pick<ContainerStore, 'all'>): Set<string> {
  const names = new Set<string>();
  for (const record of store.all()) {
    for (const mount of record.mounts) if (mount.Type === 'volume' && mount.Name) names.add(mount.Name);
  }
  return names;
}

/** Ids of the containers, running or not, that were made from that image. */
export function imageUsers(store: Pick<ContainerStore, 'all'>, imageId: string): string[] {
  return store
    .all()
    .filter((record) => record.imageId === imageId)
    .map((record) => record.id);
}
