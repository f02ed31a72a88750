/** How to mount a filesystem: the arguments of mount(2). A value, so that who makes it and who mounts it need not know each other. */
export interface MountSpec {
  type: string;
  source: string;
  /** Options of the filesystem's own, comma-joined into mount(2)'s data. */
  options: string[];
  /** MS_* flags by their `mount(8)` names: `ro`, `bind`, `rbind`, `nodev`, `nosuid`, `noexec`, `private`. */
  flags: string[];
}

/** What a snapshot is for. */
export type SnapshotKind =
  | 'layer' // committed, read-only, named by its chainID
  | 'active'; // writable, belongs to a container, a build step or an unpack under way

/** A snapshot as recorded. */
export interface SnapshotInfo {
  key: string;
  kind: SnapshotKind;
  parent: string | undefined;
}

/** Disk use of one snapshot's own directory: bytes of allocated blocks, hard links counted once. */
export interface Usage {
  bytes: number;
  inodes: number;
}

/** How a path differs from the parent's. */
export type ChangeKind = 'modified' | 'added' | 'deleted';

/**
 * Layered filesystems. A layer is made once: `prepare` an active snapshot on its parent, fill it, `commit` it under its
 * chainID; commit syncs the filesystem before the layer is recorded. Active snapshots hang on a layer or on nothing.
 * All keys are given by the caller and match `[A-Za-z0-9_.:-]+`.
 *
 *     prepare('extract-1', undefined) → dir; unpack into dir; commit('sha256:…', 'extract-1', 'sha256:<parent>')
 *     prepare(containerId, 'sha256:…') → mount(containerId) → the runtime mounts it
 */
export interface Snapshotter {
  readonly name: string;
  /** Makes an active snapshot. Errors: `not-found` parent, `conflict` when the key exists. */
  prepare(key: string, parent: string | undefined): Promise<void>;
  /** The one directory in which an active snapshot's own changes lie (overlay's upper), or a layer's files. */
  directory(key: string): string;
  /** The mount that shows an active snapshot over its parents, or a layer read-only. */
  mount(key: string): MountSpec;
  /** The same files, read-only and without taking the snapshot's own directory into use: for reading one that nobody runs. */
  view(key: string): MountSpec;
  /**
   * Turns an active snapshot into the layer `name`. When the layer exists already, the active one is dropped. An active
   * snapshot that was made on nothing may be given a parent here, so that layers are unpacked before their parents are; a
   * root directory that nobody touched takes the parent's owner and mode then. Errors: `not-found` parent, `conflict` when it
   * is no layer or the snapshot stands on another one. With `made` the parent may come later: the snapshot is synced first,
   * together with others, and recorded when that promise is kept; if it is broken the commit fails with its reason.
   */
  commit(name: string, key: string, parent?: string, made?: Promise<unknown>): Promise<void>;
  stat(key: string): SnapshotInfo | undefined;
  list(): SnapshotInfo[];
  usage(key: string): Promise<Usage>;
  /** What an active snapshot changed against its parent, by path (`/etc/motd`), sorted. */
  changes(key: string): Promise<{ path: string; kind: ChangeKind }[]>;
  /** Removes it. Gone for `stat` when this returns, its files may go a moment later. Errors: `conflict` while something stands on it. */
  remove(key: string): Promise<void>;
  /** Resolves when files of removed snapshots are gone from the disk. */
  settled(): Promise<void>;
  /** Drops directories that no record names and records whose directory is gone (reported). Called once at start. */
  recover(): Promise<{ removed: string[]; damaged: string[] }>;
}
