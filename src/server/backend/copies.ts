/** The document of the header `X-Docker-Container-Path-Stat`. */
export interface PathStat {
  /** Last part of the path as it was asked for. */
  name: string;
  /** In bytes; of a link the length of its text. */
  size: number;
  /** Go's `os.FileMode`: permission bits and, from bit 20 on, what it is. */
  mode: number;
  /** RFC 3339 with nanoseconds. */
  mtime: string;
  /** Where a link leads, absolute in the container; empty for others. */
  linkTarget: string;
}

/** An archive under way. It holds the container's files until it is disposed of. */
export interface CopyOut extends AsyncDisposable {
  stat: PathStat;
  /** A tar. */
  archive: AsyncIterable<Uint8Array>;
}

/** How an archive is put into a container. */
export interface CopyInOptions {
  /** A folder is not replaced by something else, nor something else by a folder. */
  noOverwriteDirNonDir: boolean;
  /** All entries belong to the user whom the container runs as, when its config names one. */
  copyUidGid: boolean;
}

/** A file or folder of this host. */
export interface HostSource {
  /** Absolute. */
  folder: string;
  /** In the folder; `.` for its contents. */
  entry: string;
  /** What it is called in the container. */
  name: string;
}

/** A folder of this host that is copied into. */
export interface HostTarget {
  /** Absolute. */
  folder: string;
  /** What the copy is called there; undefined for its own name. */
  name: string | undefined;
  /** Owners stay as they are in the container; else all is root's. */
  keepOwners: boolean;
}

/** How far a copy in place is. */
export interface HostCopyStep {
  /** As the tar would have. */
  bytes: number;
  /** What went wrong on the host's side; the last step then. */
  hostError?: string;
}

/**
 * Copies between clients and containers, running or not. Every path is looked up in the container's files alone. Errors, with
 * Docker's texts: `not-found` for the container and the path, `invalid` for what can't be extracted into, `internal` for paths
 * through files and loops of links.
 */
export interface CopiesBackend {
  stat(ref: string, path: string): Promise<PathStat>;
  get(ref: string, path: string, signal: AbortSignal): Promise<CopyOut>;
  /** `source` is a tar, plain or packed; its entries go beneath the folder `path`. */
  put(
    ref: string,
    path: string,
    source: AsyncIterable<Uint8Array>,
    options: CopyInOptions,
    signal: AbortSignal,
  ): Promise<void>;
  /** As `put` of the tar of something on this host, read by the daemon. */
  putFromHost(
    ref: string,
    path: string,
    source: HostSource,
    options: CopyInOptions,
    signal: AbortSignal,
  ): AsyncIterable<HostCopyStep>;
  /** As `get`, unpacked on this host by the daemon. */
  getToHost(ref: string, path: string, target: HostTarget, signal: AbortSignal): AsyncIterable<HostCopyStep>;
}
