/** The flags of `cp`. */
export interface CopyOptions {
  /** Keep owners: in a container those of its user, here those of the archive. */
  archive: boolean;
  /** Copy what a link leads to, rather than the link. */
  followLink: boolean;
  quiet: boolean;
}
