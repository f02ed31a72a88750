import { mkdirSync } from 'node:fs';
import { errnoCode, isKind, newId, span, type UndoStack, WharfError } from '../../base/index.ts';
import { copyUp, hasFiles, publishVolumeEvent } from '../volumes/index.ts';
import type { CreateDeps } from './deps.ts';
import { makeImageMount } from './image-mounts.ts';
import { volumeUsers } from './in-use.ts';
import { withMounted } from './init-layer.ts';
import type { MountPlan } from './mount-plan.ts';
import type { MountRecord } from './record.ts';

/**
 * Keeps the volumes of a plan, there or not, until the container's record does; called at once after planning. Those
 * without a name get one here.
 */
export function holdVolumes(
  volumes: Pick<CreateDeps['volumes'], 'reserve'>,
  plan: MountPlan,
  containerId: string,
  held: DisposableStack,
): void {
  for (const wish of plan.wishes) {
    if (wish.type !== 'volume') continue;
    wish.volumeName = wish.source || newId();
    held.use(volumes.reserve(wish.volumeName, containerId));
  }
  for (const mount of plan.inherited) {
    if (mount.Type === 'volume' && mount.Name) held.use(volumes.reserve(mount.Name, containerId));
  }
}

/**
 * Makes what a plan needs: volumes, with the image's files in those that are empty, and missing host directories of `-v`.
 * New volumes are taken back by `undo`.
 */
export async function makeMounts(
  deps: CreateDeps,
  plan: MountPlan,
  container: { id: string; layerKey: string },
  undo: UndoStack,
): Promise<MountRecord[]> {
  using _ = span('create.volumes', container.id);
  const mounts: MountRecord[] = [...plan.inherited];
  for (const wish of plan.wishes) {
    if (wish.type === 'volume') {
      mounts.push(await makeVolumeMount(deps, wish, undo));
      continue;
    }
    if (wish.type === 'image') {
      mounts.push(await makeImageMount(deps, wish, { id: container.id, place: mounts.length }, undo));
      continue;
    }
    const mount: MountRecord = {
      Type: wish.type,
      Source: wish.source,
      Destination: wish.destination,
      Mode: wish.mode,
      RW: !wish.readOnly,
      Propagation: wish.propagation,
      options: accessWords(wish),
      ...(wish.createSource ? { createSource: true } : {}),
      ...(wish.unlisted ? { unlisted: true } : {}),
    };
    makeBindSource(mount);
    mounts.push(mount);
  }
  await fillVolumes(deps, mounts, container);
  return mounts;
}

const accessWords = (wish: MountPlan['wishes'][number]) =>
  wish.readOnly ? [...wish.options.filter((word) => word !== 'ro' && word !== 'rw'), 'ro'] : wish.options;

/** Makes the missing source directory of a `-v` bind; an existing file or directory is left alone. Also before each start, since the host's files come and go. */
export function makeBindSource(mount: MountRecord): void {
  if (mount.Type !== 'bind' || !mount.createSource || !mount.Source) return;
  try {
    mkdirSync(mount.Source, { recursive: true, mode: 0o755 });
  } catch (thrown) {
    const code = errnoCode(thrown);
    if (code === 'EEXIST') return;
    throw new WharfError('invalid', `error while creating mount source path '${mount.Source}': ${code}`, {
      cause: thrown,
    });
  }
}

async function makeVolumeMount(
  deps: CreateDeps,
  wish: MountPlan['wishes'][number],
  undo: UndoStack,
): Promise<MountRecord> {
  const { volume, created } = await deps.volumes.create({
    ...(wish.volumeName ? { name: wish.volumeName } : {}),
    anonymous: !wish.source,
    ...(wish.driver ? { driver: wish.driver } : {}),
    options: wish.driverOptions,
    labels: wish.labels,
  });
  if (created) {
    undo.push('remove the new volume', async () => {
      // A create at the same time may have taken it by its name, or be about to.
      if (volumeUsers(deps.store, volume.name).length > 0) return;
      try {
        await deps.volumes.remove(volume.name);
      } catch (thrown) {
        if (isKind(thrown, 'conflict')) return;
        throw thrown;
      }
      publishVolumeEvent(deps.events, volume, 'destroy');
    });
    publishVolumeEvent(deps.events, volume, 'create');
  }
  return {
    Type: 'volume',
    Name: volume.name,
    Source: deps.volumes.mountpoint(volume.name),
    Destination: wish.destination,
    Driver: volume.driver,
    Mode: wish.mode,
    RW: !wish.readOnly,
    Propagation: wish.propagation,
    options: accessWords(wish),
    ...(wish.source ? {} : { anonymous: true }),
    ...(wish.subpath ? { subpath: wish.subpath } : {}),
    ...(wish.noCopy ? {} : { copyUp: true }),
  };
}

/** Copies the image's files into the volumes that are empty; the image is mounted only when there is a volume at all. */
async function fillVolumes(
  deps: CreateDeps,
  mounts: MountRecord[],
  container: { id: string; layerKey: string },
): Promise<void> {
  const fillable = mounts.filter((mount) => mount.copyUp && !mount.subpath && mount.Name);
  if (fillable.length === 0) return;
  await withMounted(deps, deps.snapshotter.mount(container.layerKey), async (rootfs) => {
    for (const mount of fillable) {
      // Most volumes have nothing to get: then nothing need be mounted, nor a plugin asked.
      if (!hasFiles(rootfs, mount.Destination as string)) continue;
      const directory = await deps.volumes.acquire(mount.Name as string, container.id);
      try {
        await copyUp(rootfs, mount.Destination as string, directory);
      } finally {
        await deps.volumes.release(mount.Name as string, container.id);
      }
    }
  });
}
