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
  /** It came from a commit: its directory is made from the blob when a container first needs it. */
  late?: true;
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
  /** The image that a commit made it from, here: it stays as long as this one does. */
  parent?: Digest;
}

/** A name for an image, in the collection `image_names`. */
export interface ImageName {
  /** Canonical: `docker.io/library/busybox:latest`, or `docker.io/library/busybox@sha256:…`. */
  name: string;
  imageId: Digest;
  /** What the name stood for at the registry it came from: an index, or the image's manifest. */
  target?: Descriptor;
}

/**
 * What a name's target keeps besides the image's own blobs, in the collection `image_indexes`: the target itself and those
 * of its entries that are no image of another platform. Kept as long as a name has that target.
 */
export interface KeptIndex {
  digest: Digest;
  blobs: { digest: Digest; size: number }[];
  /** Those of the blobs that are documents whose subject is the target or one of its entries, each after its subject. */
  referrers?: Descriptor[];
}

/** Everything the records stand on: digests of blobs, and keys of layers with the init layers above them. */
export interface Needed {
  blobs: ReadonlySet<string>;
  layers: ReadonlySet<string>;
  /** Images that others were committed from. */
  parents: ReadonlySet<string>;
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
  /** The whole record of a canonical name. */
  name(name: string): ImageName | undefined;
  setName(name: string, id: Digest, target?: Descriptor): void;
  removeName(name: string): boolean;
  /**
   * Finds by name (tag `latest` if none), by digest, by id or unique id prefix, as Docker does.
   * Errors: `not-found` ("No such image: REF"), `invalid` for a reference that can't be one.
   */
  resolve(ref: string): ImageRecord;
  find(ref: string): ImageRecord | undefined;
  /**
   * Keeps what a target holds, beside what is kept with it already: who brought less of it takes nothing from the others.
   * Set the names that stand for it in the same transaction, before.
   */
  keepIndex(index: KeptIndex): void;
  indexes(): KeptIndex[];
  /** What is kept with one target. */
  index(digest: Digest): KeptIndex | undefined;
  /** Counted anew only after a change; do not hold on to it across turns of the event loop. */
  needed(): Needed;
  /** Blobs of an image and of the targets of its names. */
  blobsOf(id: Digest): Digest[];
  transaction<T>(work: () => T): T;
}

/** Opens the image collections of the database. */
export function openImageStore(database: Database): ImageStore {
  return new DatabaseImageStore(database);
}

class DatabaseImageStore implements ImageStore {
  private readonly database: Database;
  private readonly images: Collection<ImageRecord>;
  private readonly entries: Collection<ImageName>;
  private readonly targets: Collection<KeptIndex>;
  private known: Needed | undefined;

  constructor(database: Database) {
    this.database = database;
    this.images = database.collection<ImageRecord>({ name: 'images', key: (image) => image.id });
    this.entries = database.collection<ImageName>({
      name: 'image_names',
      key: (entry) => entry.name,
      indexes: { image: { of: (entry) => entry.imageId }, target: { of: (entry) => entry.target?.digest } },
    });
    this.targets = database.collection<KeptIndex>({ name: 'image_indexes', key: (index) => index.digest });
  }

  get(id: string): ImageRecord | undefined {
    return this.images.get(id);
  }

  all(): ImageRecord[] {
    return this.images.all();
  }

  put(image: ImageRecord): void {
    this.transaction(() => this.images.put(image));
  }

  delete(id: Digest): void {
    this.transaction(() => {
      for (const { name } of this.entries.find('image', id)) this.removeName(name);
      this.images.delete(id);
    });
  }

  names(): ImageName[] {
    return this.entries.all();
  }

  namesOf(id: Digest): string[] {
    return this.entries
      .find('image', id)
      .map((entry) => entry.name)
      .sort();
  }

  name(name: string): ImageName | undefined {
    return this.entries.get(name);
  }

  named(name: string): Digest | undefined {
    return this.entries.get(name)?.imageId;
  }

  setName(name: string, id: Digest, target?: Descriptor): void {
    this.transaction(() => {
      const before = this.entries.get(name);
      this.entries.put(target ? { name, imageId: id, target } : { name, imageId: id });
      this.freeTarget(before);
    });
  }

  removeName(name: string): boolean {
    return this.transaction(() => {
      const entry = this.entries.get(name);
      this.entries.delete(name);
      this.freeTarget(entry);
      return entry !== undefined;
    });
  }

  find(ref: string): ImageRecord | undefined {
    return findByName(this.images, this.entries, ref) ?? findById(this.images, ref);
  }

  resolve(ref: string): ImageRecord {
    const found = this.find(ref);
    if (found) return found;
    throw new WharfError('not-found', `No such image: ${wholeReference(ref)}`);
  }

  keepIndex(index: KeptIndex): void {
    this.transaction(() => {
      const known = this.targets.get(index.digest);
      const blobs = distinct(known?.blobs, index.blobs);
      const referrers = distinct(known?.referrers, index.referrers);
      const { digest } = index;
      this.targets.put({ digest, blobs, ...(referrers.length > 0 && { referrers }) });
    });
  }

  indexes(): KeptIndex[] {
    return this.targets.all();
  }

  index(digest: Digest): KeptIndex | undefined {
    return this.targets.get(digest);
  }

  needed(): Needed {
    this.known ??= neededBy(this.images.all(), this.targets.all());
    return this.known;
  }

  blobsOf(id: Digest): Digest[] {
    const image = this.images.get(id);
    const found = new Set<Digest>(image && ownBlobs(image));
    for (const { target } of this.entries.find('image', id)) {
      for (const { digest } of (target && this.targets.get(target.digest)?.blobs) ?? []) found.add(digest);
    }
    return [...found];
  }

  transaction<T>(work: () => T): T {
    try {
      return this.database.transaction(work);
    } finally {
      // Also after a failure: what was read inside has been taken back.
      this.known = undefined;
    }
  }

  private freeTarget(entry: ImageName | undefined): void {
    const digest = entry?.target?.digest;
    if (digest && this.entries.find('target', digest).length === 0) this.targets.delete(digest);
  }
}

/** All of both lists; of two with one digest the later. */
function distinct<T extends { digest: Digest }>(known: T[] = [], more: T[] = []): T[] {
  return [...new Map([...known, ...more].map((one) => [one.digest, one])).values()];
}

/** The blobs that an image's record names. */
export function ownBlobs(image: ImageRecord): Digest[] {
  return [image.manifest.digest, image.config.digest, ...image.layers.map(({ blob }) => blob.digest)];
}

function neededBy(images: ImageRecord[], indexes: KeptIndex[]): Needed {
  const blobs = new Set<string>();
  const layers = new Set<string>();
  const parents = new Set<string>();
  for (const image of images) {
    if (image.parent) parents.add(image.parent);
    for (const digest of ownBlobs(image)) blobs.add(digest);
    for (const { chainId } of image.layers) layers.add(chainId);
    const top = image.layers.at(-1);
    if (top) layers.add(`${top.chainId}-init`);
  }
  for (const index of indexes) {
    blobs.add(index.digest);
    for (const { digest } of index.blobs) blobs.add(digest);
  }
  return { blobs, layers, parents };
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
