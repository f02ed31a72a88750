import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type UndoStack, WharfError } from '../../base/index.ts';
import { parseReference } from '../../oci/index.ts';
import type { CreateDeps } from './deps.ts';
import type { TeardownDeps } from './lifecycle-deps.ts';
import type { MountPlan } from './mount-plan.ts';
import type { ContainerRecord, MountRecord } from './record.ts';

const SEPARATOR = '.image-';

/** The container that a snapshot is for, by its key: its root filesystem has the container's id, images that it mounts more. */
export function containerOfSnapshot(key: string): string {
  return key.split(SEPARATOR)[0] as string;
}

/** Keys of the snapshots by which a container keeps the images that it mounts. */
export function mountedImages(record: Pick<ContainerRecord, 'mounts'>): string[] {
  return record.mounts.flatMap((mount) => (mount.imageSnapshot ? [mount.imageSnapshot] : []));
}

/**
 * Keeps an image for a mount: an own snapshot stands on its layers, so that the image may be removed meanwhile, as in
 * Docker. Taken back by `undo`. Errors: `not-found` image.
 */
export async function makeImageMount(
  deps: Pick<CreateDeps, 'images' | 'snapshotter'>,
  wish: MountPlan['wishes'][number],
  container: { id: string; place: number },
  undo: UndoStack,
): Promise<MountRecord> {
  const key = `${container.id}${SEPARATOR}${container.place}`;
  await deps.snapshotter.prepare(key, await layersOf(deps, wish));
  undo.push('drop the hold on a mounted image', () => deps.snapshotter.remove(key));
  return {
    Type: 'image',
    Name: wish.source,
    Source: deps.snapshotter.directory(key),
    Destination: wish.destination,
    Mode: '',
    RW: false,
    Propagation: 'rprivate',
    options: ['rbind', 'ro'],
    imageSnapshot: key,
    ...(wish.subpath ? { subpath: wish.subpath } : {}),
  };
}

/** What the image's own snapshot stands on; undefined without layers. Those of an image that was committed here are made at its first use. */
async function layersOf(
  deps: Pick<CreateDeps, 'images' | 'snapshotter'>,
  wish: MountPlan['wishes'][number],
): Promise<string | undefined> {
  const other = wish.imageSnapshot ? deps.snapshotter.stat(wish.imageSnapshot) : undefined;
  if (other) return other.parent;
  const image = deps.images.resolve(wish.source);
  if (!image) throw noSuchImage(wish.source);
  const { chainId, imageId } = image;
  if (chainId && !deps.snapshotter.stat(chainId)) await deps.images.unpack?.(imageId);
  return chainId || undefined;
}

/** Shows the image, read-only, at a directory of this run. */
export function mountImage(
  deps: Pick<TeardownDeps, 'snapshotter' | 'mounts' | 'paths'>,
  record: ContainerRecord,
  mount: MountRecord,
  undo: UndoStack,
): string {
  const target = join(deps.paths.subpaths, record.id, `${record.mounts.indexOf(mount)}-image`);
  mkdirSync(target, { recursive: true, mode: 0o700 });
  const spec = deps.snapshotter.view(mount.imageSnapshot ?? '');
  deps.mounts.mount({ ...spec, flags: [...spec.flags.filter((word) => word !== 'rw'), 'ro'] }, target);
  undo.push(`unmount image ${mount.Name}`, () => deps.mounts.unmount(target));
  return target;
}

function noSuchImage(reference: string): WharfError {
  const parsed = parseReference(reference);
  const tag = parsed.tag || parsed.digest ? '' : ':latest';
  return new WharfError('not-found', `No such image: ${parsed.familiar()}${tag}`);
}
