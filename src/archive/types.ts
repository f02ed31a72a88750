/** What a tar entry is. `link` is a hard link, `linkName` its target. */
export type TarEntryType = 'file' | 'directory' | 'symlink' | 'link' | 'char' | 'block' | 'fifo';

/** One entry of a tar, its extension headers already applied. */
export interface TarHeader {
  /** As written in the archive: not normalised, not checked, never empty. A directory's may end in a slash. */
  name: string;
  type: TarEntryType;
  /** Target of a symbolic or hard link. */
  linkName: string;
  /** Permission bits with setuid, setgid and sticky. */
  mode: number;
  uid: number;
  gid: number;
  /** Bytes of content; 0 for all but files. */
  size: number;
  /** Nanoseconds since 1970. */
  mtimeNs: bigint;
  devMajor: number;
  devMinor: number;
  /** Extended attributes (PAX records `SCHILY.xattr.*`). */
  xattrs: Map<string, Buffer>;
}

/** An entry while it is read. The body ends with the step to the next entry. */
export interface TarEntry extends TarHeader {
  body: AsyncIterable<Uint8Array>;
}

/** Bounds against archives made to exhaust the host. Every one of them ends the reading with `invalid`. */
export interface ArchiveLimits {
  /** Entries of one archive. */
  maxEntries: number;
  /** Uncompressed bytes of one archive. */
  maxBytes: number;
  /** Bytes of a name or link target. */
  maxNameBytes: number;
  /** Bytes of all extension headers of one entry. */
  maxExtensionBytes: number;
  /** Uncompressed to compressed bytes, looked at beyond `ratioFreeBytes`. */
  maxRatio: number;
  /** Uncompressed bytes that are never refused for their ratio. */
  ratioFreeBytes: number;
}
