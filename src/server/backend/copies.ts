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
}
