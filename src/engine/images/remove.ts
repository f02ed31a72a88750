import type { ImageDeleteResponseItem } from '../../api/index.ts';
import { shortId, WharfError } from '../../base/index.ts';
import type { Digest, Platform } from '../../oci/index.ts';
import { requirePlatform } from './platform.ts';
import { publishImage, type RegisterDeps } from './register.ts';
import { canonicalName, familiarName, type ImageRecord } from './store.ts';
import { type SweepDeps, sweepAmong } from './sweep.ts';

export interface RemoveDeps extends SweepDeps, Pick<RegisterDeps, 'events'> {
  /** Containers made from an image. */
  containersOf: (imageId: string) => { id: string; running: boolean }[];
}

/**
 * Takes a name from an image, and the image itself with its last name; by id, the image with all its names in one
 * repository. Texts and rules as Docker's: a running container's image stays, a stopped one's goes only by force.
 */
export async function removeImage(
  deps: RemoveDeps,
  ref: string,
  options: { force: boolean; noPrune: boolean; platforms?: Platform[] },
): Promise<ImageDeleteResponseItem[]> {
  const { platforms = [] } = options;
  if (platforms.length > 1) throw new WharfError('invalid', 'multiple platforms are not supported');
  const image = deps.images.resolve(ref);
  requirePlatform(ref, image, platforms[0]);
  const items: ImageDeleteResponseItem[] = [];
  // Before names go, and with them what was kept for them.
  const blobs = deps.images.blobsOf(image.id);
  const gone = recorded(deps, (inside) => unrecord(inside, ref, image, options, items));
  await free(deps, gone, items, blobs);
  return items;
}

/** Removes the record, then whatever only it needed; adds what went to `items`. Returns the bytes of disk that came free. */
export async function deleteImage(
  deps: RemoveDeps,
  image: ImageRecord,
  items: ImageDeleteResponseItem[],
): Promise<number> {
  const blobs = deps.images.blobsOf(image.id);
  const gone = recorded(deps, (inside) => forget(inside, image, items));
  return free(deps, gone, items, blobs);
}

/**
 * What `removeImage` does to the records alone, for a plan: inside a transaction that is taken back. True when the image
 * went. Errors: as `removeImage`.
 */
export function unrecordImage(
  deps: RemoveDeps,
  ref: string,
  options: { force: boolean },
): { image: ImageRecord; went: boolean; items: ImageDeleteResponseItem[] } {
  const image = deps.images.resolve(ref);
  const items: ImageDeleteResponseItem[] = [];
  return {
    image,
    went:
      recorded(deps, (inside) => unrecord(inside, ref, image, { ...options, noPrune: false }, items)).length >
      0,
    items,
  };
}

/** What `deleteImage` does to the records alone. */
export function forgetImage(deps: RemoveDeps, image: ImageRecord): void {
  forget(deps, image, []);
}

/** Changes the records all or nothing, whenever the process is killed; events tell of it when it is done. */
function recorded<T>(deps: RemoveDeps, work: (inside: RemoveDeps) => T): T {
  const told: Parameters<RemoveDeps['events']['publish']>[0][] = [];
  const done = deps.images.transaction(() =>
    work({ ...deps, events: { publish: (event) => void told.push(event) } }),
  );
  for (const event of told) deps.events.publish(event);
  return done;
}

/** Takes the name away, or names, and the image with the last one. True when the image went. Errors: `conflict`. */
function unrecord(
  deps: RemoveDeps,
  ref: string,
  image: ImageRecord,
  options: { force: boolean; noPrune: boolean },
  items: ImageDeleteResponseItem[],
): Gone[] {
  const name = canonicalName(ref);
  if (name !== undefined && deps.images.named(name) === image.id) {
    if (!untagByName(deps, image, name, options.force, items)) return [];
  } else {
    untagById(deps, image, options.force, items);
  }
  const conflict = findConflict(deps, image, options.force);
  // A name was taken away as asked; that the image itself stays is no error then.
  if (conflict?.used && items.length > 0) return [];
  if (conflict) throw conflictError(image, conflict);
  return forget(deps, image, items, options.noPrune);
}

/** An image that went, and the blobs that it had. */
interface Gone {
  image: ImageRecord;
  blobs: Digest[];
}

/** Returns the images that went: this one, and those it was committed from that have no name and no other use. */
function forget(
  deps: RemoveDeps,
  image: ImageRecord,
  items: ImageDeleteResponseItem[],
  alone = false,
): Gone[] {
  const gone = { image, blobs: deps.images.blobsOf(image.id) };
  for (const name of deps.images.namesOf(image.id)) untag(deps, image, name, items);
  deps.images.delete(image.id);
  // Its labels are gone with it, as in Docker.
  publishImage(deps, { ...image, labels: null }, 'delete');
  const parent = image.parent && !alone ? deps.images.get(image.parent) : undefined;
  if (!parent || deps.images.namesOf(parent.id).length > 0 || findConflict(deps, parent, false))
    return [gone];
  return [gone, ...forget(deps, parent, items)];
}

/** Sweeps what only these needed, and tells of each what went with it: itself, then its own layers. */
async function free(
  deps: RemoveDeps,
  gone: readonly Gone[],
  items: ImageDeleteResponseItem[],
  blobs: readonly Digest[],
): Promise<number> {
  const freed = await sweepAmong(deps, [...blobs, ...gone.flatMap((one) => one.blobs)]);
  const needed = deps.images.needed().layers;
  for (const [at, { image }] of gone.entries()) {
    items.push({ Deleted: image.id });
    const parents = new Set(gone[at + 1]?.image.layers.map(({ chainId }) => chainId));
    for (const { chainId } of image.layers.toReversed()) {
      const stays = deps.snapshots.stat(chainId) || needed.has(chainId) || parents.has(chainId);
      if (!stays) items.push({ Deleted: chainId });
    }
  }
  return freed;
}

function untag(deps: RemoveDeps, image: ImageRecord, name: string, items: ImageDeleteResponseItem[]): void {
  deps.images.removeName(name);
  items.push({ Untagged: familiarName(name) });
  publishImage(deps, image, 'untag');
}

/** True when the image has no name left. Digests of the same repository go with its last tag. */
function untagByName(
  deps: RemoveDeps,
  image: ImageRecord,
  name: string,
  force: boolean,
  items: ImageDeleteResponseItem[],
): boolean {
  const user = deps.containersOf(image.id)[0];
  if (!force && user && isOneRepository(deps.images.namesOf(image.id))) {
    const text = `container ${shortId(user.id)} is using its referenced image ${shortId(image.id)}`;
    const what = familiarName(name);
    throw new WharfError(
      'conflict',
      `conflict: unable to remove repository reference "${what}" (must force) - ${text}`,
    );
  }
  untag(deps, image, name, items);
  const left = deps.images.namesOf(image.id);
  const repository = repositoryOf(name);
  const digests = left.filter((other) => repositoryOf(other) === repository);
  if (name.includes('@') || !digests.every((other) => other.includes('@'))) return left.length === 0;
  // Told in the answer, but by no event, as in Docker.
  for (const digest of digests) {
    deps.images.removeName(digest);
    items.push({ Untagged: familiarName(digest) });
  }
  return digests.length === left.length;
}

/** By id, the names of one repository go with the image; with several, `findConflict` asks for force. */
function untagById(
  deps: RemoveDeps,
  image: ImageRecord,
  force: boolean,
  items: ImageDeleteResponseItem[],
): void {
  const names = deps.images.namesOf(image.id);
  if (!isOneRepository(names)) return;
  const conflict = findConflict(deps, image, force, { ignoreNames: true });
  if (conflict) throw conflictError(image, conflict);
  for (const name of names) untag(deps, image, name, items);
}

interface Conflict {
  hard: boolean;
  /** A container, or another image, uses the image. */
  used: boolean;
  text: string;
}

function findConflict(
  deps: RemoveDeps,
  image: ImageRecord,
  force: boolean,
  options: { ignoreNames?: boolean } = {},
): Conflict | undefined {
  if (deps.images.needed().parents.has(image.id))
    return { hard: true, used: true, text: 'image has dependent child images' };
  const users = deps.containersOf(image.id);
  const running = users.find((user) => user.running);
  if (running) {
    return {
      hard: true,
      used: true,
      text: `image is being used by running container ${shortId(running.id)}`,
    };
  }
  if (force) return undefined;
  if (!options.ignoreNames && deps.images.namesOf(image.id).length > 0) {
    return { hard: false, used: false, text: 'image is referenced in multiple repositories' };
  }
  const stopped = users[0];
  if (!stopped) return undefined;
  return { hard: false, used: true, text: `image is being used by stopped container ${shortId(stopped.id)}` };
}

function conflictError(image: ImageRecord, conflict: Conflict): WharfError {
  const force = conflict.hard ? 'cannot be forced' : 'must be forced';
  return new WharfError(
    'conflict',
    `conflict: unable to delete ${shortId(image.id)} (${force}) - ${conflict.text}`,
  );
}

/** At most one tag, and digests only of the same repository. */
function isOneRepository(names: string[]): boolean {
  const tags = names.filter((name) => !name.includes('@'));
  if (tags.length > 1) return false;
  return new Set(names.map(repositoryOf)).size <= 1;
}

function repositoryOf(name: string): string {
  return name.replace(/(@sha256:[0-9a-f]{64}|:[^/:@]*)$/, '');
}
