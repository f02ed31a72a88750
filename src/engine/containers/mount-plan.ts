import type { ContainerConfig, HostConfig } from '../../api/index.ts';
import { isKind, WharfError } from '../../base/index.ts';
import {
  imageWish,
  type MountWish,
  parseBind,
  parseImageVolume,
  parseMount,
  parseTmpfs,
  parseVolumesFrom,
} from './mount-spec.ts';
import type { MountRecord } from './record.ts';
import type { ContainerStore } from './store.ts';

/** So many mounts a request and its image's VOLUME list may make; each volume costs a durable write and a directory. */
const MAX_MOUNTS = 1_000;

/** What a container's mounts will be, before anything is made: `inherited` are taken as they are, `wishes` need volumes. */
export interface MountPlan {
  inherited: MountRecord[];
  wishes: (MountWish & {
    unlisted?: boolean;
    /** Name of the volume that it gets, decided when it is reserved. */
    volumeName?: string;
    /** The snapshot by which another container keeps the image that is to be mounted: whatever the name says by now. */
    imageSnapshot?: string;
  })[];
}

/**
 * Decides the mounts of a request whose config is merged with the image's. Later kinds win over earlier ones as in Docker:
 * volumes-from, then binds, then mounts; the image's volumes only where nothing else is. Two of one request at one place
 * are refused. Errors: `invalid`, with Docker's texts.
 */
export function planMounts(
  store: Pick<ContainerStore, 'resolve'>,
  config: ContainerConfig,
  hostConfig: HostConfig,
): MountPlan {
  const taken = new Map<string, MountPlan['wishes'][number]>();
  const claim = (wish: MountPlan['wishes'][number]) => {
    if (taken.has(wish.destination)) {
      throw new WharfError('invalid', `Duplicate mount point: ${wish.destination}`);
    }
    taken.set(wish.destination, wish);
  };
  const driver = hostConfig.VolumeDriver ?? '';
  for (const spec of hostConfig.Binds ?? []) claim(parseBind(spec, driver));
  for (const mount of hostConfig.Mounts ?? []) claim(parseMount(mount));
  for (const wish of parseTmpfs(hostConfig.Tmpfs)) claim({ ...wish, unlisted: true });
  const others = inheritMounts(store, hostConfig).filter((mount) => !taken.has(mount.Destination ?? ''));
  const inherited = others.filter((mount) => mount.Type !== 'image');
  for (const mount of others) if (mount.Type === 'image') claim(sharedImage(mount));
  const occupied = new Set([...taken.keys(), ...inherited.map((mount) => mount.Destination)]);
  for (const path of Object.keys(config.Volumes ?? {})) {
    const wish = parseImageVolume(path);
    if (occupied.has(wish.destination)) continue;
    occupied.add(wish.destination);
    taken.set(wish.destination, wish);
  }
  if (taken.size > MAX_MOUNTS) {
    throw new WharfError('invalid', `too many mounts and volumes: ${taken.size}, at most ${MAX_MOUNTS}`);
  }
  return { inherited, wishes: [...taken.values()] };
}

function inheritMounts(store: Pick<ContainerStore, 'resolve'>, hostConfig: HostConfig): MountRecord[] {
  const byDestination = new Map<string, MountRecord>();
  for (const spec of hostConfig.VolumesFrom ?? []) {
    const { ref, readOnly } = parseVolumesFrom(spec);
    for (const mount of resolveAsInvalid(store, ref).mounts) {
      if (mount.unlisted) continue;
      const copy: MountRecord = { ...structuredClone(mount), Mode: '' };
      delete copy.copyUp;
      // Its own container owns the anonymous volume; this one only uses it.
      if (readOnly) {
        copy.RW = false;
        copy.options = [...(copy.options ?? []).filter((word) => word !== 'ro'), 'ro'];
      }
      byDestination.set(copy.Destination ?? '', copy);
    }
  }
  return [...byDestination.values()];
}

/** Kept by a hold of its own: the other container may go first. */
function sharedImage(mount: MountRecord): MountPlan['wishes'][number] {
  const { Name = '', Destination = '', subpath = '', imageSnapshot = '' } = mount;
  return { ...imageWish(Name, subpath), destination: Destination, readOnly: true, imageSnapshot };
}

/** A missing container in a request's field is the request's fault: 400, as the reference. */
export function resolveAsInvalid(store: Pick<ContainerStore, 'resolve'>, ref: string) {
  try {
    return store.resolve(ref);
  } catch (thrown) {
    if (isKind(thrown, 'not-found'))
      throw new WharfError('invalid', `No such container: ${ref}`, { cause: thrown });
    throw thrown;
  }
}
