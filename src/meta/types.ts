/** A value as stored: plain JSON. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** How a collection is keyed and what must be unique or found fast in it. */
export interface CollectionSpec<T extends object> {
  /** Table name: lower-case letters, digits and underscores. */
  name: string;
  key: (value: T) => string;
  /** Named values derived from a document: `unique` ones refuse a second holder with `conflict`; undefined is not indexed. */
  indexes?: Record<string, { unique?: boolean; of: (value: T) => string | undefined }>;
}

/**
 * Documents of one kind. Reads see committed state; every write is durable (synced) when the call returns, unless it
 * is made inside `Database.transaction`, where it is durable when the transaction returns. Synchronous on purpose: a
 * write costs 0.2 ms, less than a thread hop.
 */
export interface Collection<T extends object> {
  get(key: string): T | undefined;
  /** Documents whose index has that value. */
  find(index: string, value: string): T[];
  /** Keys that start with `prefix`, at most `limit`: for lookups by short id. */
  keysByPrefix(prefix: string, limit: number): string[];
  /** Inserts or replaces. Errors: `conflict` when a unique index is taken by another key. */
  put(value: T): void;
  delete(key: string): boolean;
  all(): T[];
  count(): number;
}

/** The daemon's one durable truth: SQLite in WAL mode with `synchronous=FULL`, one file, one owner. */
export interface Database extends Disposable {
  collection<T extends object>(spec: CollectionSpec<T>): Collection<T>;
  /** All writes inside are durable together or not at all. `work` must be synchronous. */
  transaction<T>(work: () => T): T;
  /** Schema version on disk. Opening a newer one than this build knows is refused with `conflict`. */
  readonly schemaVersion: number;
  /** SQLite's own integrity check: an empty list when sound. */
  check(): string[];
}
