import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../base/index.ts';
import { type ContentStore, openContentStore } from '../content/index.ts';
import { OPENING_PLACE } from '../engine/containers/index.ts';
import { type ImageStore, openImageStore } from '../engine/images/index.ts';
import { type Database, openDatabase } from '../meta/index.ts';
import { openOverlaySnapshotter, type Snapshotter } from '../snapshot/index.ts';
import { deleteTree, mountInfo, umount } from '../sys/index.ts';
import { openVolumeStore, type VolumeStore } from '../volume/index.ts';
import type { Settings } from './settings.ts';

/** What the daemon keeps on disk. */
export interface Storage {
  /** Names this data root for life: the `ID` of `info`. */
  engineId: string;
  database: Database;
  content: ContentStore;
  snapshots: Snapshotter;
  volumes: VolumeStore;
  images: ImageStore;
  /** For spooling; emptied at each start. */
  temporary: string;
}

/** Opens the data root, as its only owner, and drops what an earlier daemon left half done. Errors: `conflict` when another daemon owns it. */
export async function openStorage(settings: Settings, log: Logger): Promise<Storage> {
  const { dataRoot } = settings;
  const database = openDatabase(join(dataRoot, 'meta.db'));
  const temporary = join(dataRoot, 'tmp');
  await emptyTemporary(temporary, join(dataRoot, OPENING_PLACE));
  const content = openContentStore(join(dataRoot, 'content'));
  const snapshots = openOverlaySnapshotter({ root: join(dataRoot, 'overlay'), database, log });
  await content.recover();
  const { damaged } = await snapshots.recover();
  for (const key of damaged) log.error('a snapshot lost its directory', { snapshot: key });
  return {
    engineId: engineId(database),
    database,
    content,
    snapshots,
    volumes: openVolumeStore({ root: join(dataRoot, 'volumes'), database, log }),
    images: openImageStore(database),
    temporary,
  };
}

/** What is still mounted there after a crash must go first: deleting through a mount would empty what it shows. */
async function emptyTemporary(temporary: string, place: string): Promise<void> {
  const left = mountInfo().filter(({ mountPoint }) => mountPoint.startsWith(`${temporary}/`));
  for (const { mountPoint } of left.reverse()) umount(mountPoint, { detach: true });
  // The folders themselves stay: a full disk may not have the inodes to make them anew.
  mkdirSync(place, { recursive: true, mode: 0o700 });
  const inside = (folder: string) => readdirSync(folder).map((name) => join(folder, name));
  for (const path of [...inside(place), ...inside(temporary)]) if (path !== place) await deleteTree(path);
}

function engineId(database: Database): string {
  const identity = database.collection<{ key: string; value: string }>({
    name: 'identity',
    key: (entry) => entry.key,
  });
  const known = identity.get('engine');
  if (known) return known.value;
  const value = randomUUID();
  identity.put({ key: 'engine', value });
  return value;
}
