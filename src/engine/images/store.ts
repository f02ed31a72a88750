import { WharfError } from '../../base/index.ts';
import type { Collection, Database } from '../../meta/index.ts';
import { type Descriptor, type Digest, type Platform, parseReference } from '../../oci/index.ts';

/** A layer of an image: its place in the chain, its uncompressed digest, and the blob it came as. */
export interface ImageLayer {
  chainId: Digest;
  diffId: Digest;
  blob: Descriptor;
  /** Apparent bytes of its files and symbolic links, hard links once: what Docker calls its size. */
  bytes: number;
  /** Bytes of its plain tar. */
  tarBytes: number;
}

/** An image as stored in the collection `images`. The config and manifest themselves are blobs. */
export interface ImageRecord {
  /** Digest of the config blob: the image's id for people and for the API. */
  id: Digest;
  manifest: Descriptor;
  config: Descriptor;
  platform: Platform;
  /** RFC 3339, from the config. */
  created: string;
  layers: ImageLayer[];
  /** Labels of the config; null when it has none. Kept here since lists and events need them. */
  labels: Record<string, string> | null;
  /** When it last got a tag, RFC 3339; ZERO_TIME for never. */
  lastTagTime: string;
}

/** A name for an image, in the collection `image_names`. */
export interface ImageName {
  /** Canonical: `docker.io/library/busybox:latest`, or `docker.io/library/busybox@sha256:…`. */
  name: string;
  imageId: Digest;
}

/** The images and their names. */
export interface ImageStore {
  get(id: string): ImageRecord | undefined;
  all(): ImageRecord[];
  put(image: ImageRecord): void;
  /** Removes the record and every name of it. */
  delete(id: Digest): void;
  names(): ImageName[];
  /** Canonical names of one image, sorted. */
  namesOf(id: Digest): string[];
  /** The image a canonical name stands for. */
  named(name: string): Digest | undefined;
  setName(name: string, id: Digest): void;
  removeName(name: string): boolean;
  /**
   * Finds by name (tag `latest` if none), by digest, by id or unique id prefix, as Docker does.
   * Errors: `not-found` ("No such image: REF"), `invalid` for a reference that can't be one.
   */
  resolve(ref: string): ImageRecord;
  find(ref: string): ImageRecord | undefined;
  transaction<T>(work: () => T): T;
}

/** Opens the image collections of the database. */
export function openImageStore(database: Database): ImageStore {
  const images = database.collection<ImageRecord>({ name: 'images', key: (image) => image.id });
  const names = database.collection<ImageName>({
    name: 'image_names',
    key: (entry) => entry.name,
    indexes: { image: { of: (entry) => entry.imageId } },
  });
  const find = (ref: string) => findByName(images, names, ref) ?? findById(images, ref);
  return {
    get: (id) => images.get(id),
    all: () => images.all(),
    put: (image) => images.put(image),
    delete(id) {
      database.transaction(() => {
        for (const entry of names.find('image', id)) names.delete(entry.name);
        images.delete(id);
      });
    },
    names: () => names.all(),
    namesOf: (id) =>
      names
        .find('image', id)
        .map((entry) => entry.name)
        .sort(),
    named: (name) => names.get(name)?.imageId,
    setName: (name, id) => names.put({ name, imageId: id }),
    removeName: (name) => names.delete(name),
    find,
    resolve(ref) {
      const found = find(ref);
      if (found) return found;
      throw new WharfError('not-found', `No such image: ${wholeReference(ref)}`);
    },
    transaction: (work) => database.transaction(work),
  };
}

/** An image by id or id prefix; several matches count as none, since the reference might be a name. */
function findById(images: Collection<ImageRecord>, ref: string): ImageRecord | undefined {
  const hex = ref.startsWith('sha256:') ? ref.slice(7) : ref;
  if (!/^[0-9a-f]{1,64}$/.test(hex)) return undefined;
  const keys = images.keysByPrefix(`sha256:${hex}`, 2);
  return keys.length === 1 ? images.get(keys[0] as string) : undefined;
}

function findByName(
  images: Collection<ImageRecord>,
  names: Collection<ImageName>,
  ref: string,
): ImageRecord | undefined {
  const canonical = canonicalName(ref);
  const entry = canonical === undefined ? undefined : names.get(canonical);
  return entry && images.get(entry.imageId);
}

/** The canonical form under which a name is stored, or undefined when `ref` can't be a name. */
export function canonicalName(ref: string): string | undefined {
  if (ref.startsWith('sha256:')) return undefined;
  try {
    const parsed = parseReference(ref);
    const repository = `${parsed.domain}/${parsed.path}`;
    if (parsed.digest) return `${repository}@${parsed.digest}`;
    return `${repository}:${parsed.tag ?? 'latest'}`;
  } catch {
    return undefined;
  }
}

/** `busybox` → `busybox:latest`; ids and digests stay as they are. For messages. Errors: `invalid` for what can't be a name. */
function wholeReference(ref: string): string {
  if (ref.startsWith('sha256:')) return ref;
  if (/^[0-9a-f]{64}$/.test(ref)) return `sha256:${ref}`;
  const parsed = parseReference(ref);
  return parsed.tag || parsed.digest ? parsed.familiar() : `${parsed.familiar()}:latest`;
}

/** `docker.io/library/busybox:latest` → `busybox:latest`: how people see a stored name. */
export function familiarName(canonical: string): string {
  return canonical.replace(/^docker\.io\/library\//, '').replace(/^docker\.io\//, '');
}
