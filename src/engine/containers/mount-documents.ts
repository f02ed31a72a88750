import type { MountPoint } from '../../api/index.ts';
import type { ContainerRecord, MountRecord } from './record.ts';

/** A container's mounts as clients see them. */
export function mountDocuments(record: Pick<ContainerRecord, 'mounts'>): MountPoint[] {
  return record.mounts.filter((mount) => !mount.unlisted).map(mountDocument);
}

function mountDocument(mount: MountRecord): MountPoint {
  return {
    Type: mount.Type ?? '',
    ...(mount.Name ? { Name: mount.Name } : {}),
    Source: mount.Source ?? '',
    Destination: mount.Destination ?? '',
    ...(mount.Driver ? { Driver: mount.Driver } : {}),
    Mode: mount.Mode ?? '',
    RW: mount.RW ?? true,
    Propagation: mount.Propagation ?? '',
  };
}
