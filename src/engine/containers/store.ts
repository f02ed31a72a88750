import type { ContainerRecord } from './record.ts';

/**
 * The container records: an in-memory map that is the truth while the daemon runs, with the database behind it. A record
 * is changed only under its lock, and `save` makes the change durable before it returns.
 */
export interface ContainerStore {
  /**
   * By full id, exact name (leading slash allowed) or unique id prefix, in this order. Errors: `not-found`
   * ("No such container: REF"), `invalid` when a prefix fits several ("multiple IDs found with provided prefix: REF").
   */
  resolve(ref: string): ContainerRecord;
  get(id: string): ContainerRecord | undefined;
  /** All records, newest first. */
  all(): ContainerRecord[];
  /** Runs `work` alone for that container, on its current record. `not-found` when it is removed meanwhile. Work that has the record never locks it again. */
  withLock<T>(ref: string, work: (record: ContainerRecord) => Promise<T>): Promise<T>;
  /** Adds a new record. Errors: `conflict` when the name is taken, with Docker's text. */
  insert(record: ContainerRecord): void;
  /** Makes the record's present content durable. */
  save(record: ContainerRecord): void;
  /** Gives it another name, durable. Errors as `insert`. */
  rename(record: ContainerRecord, name: string): void;
  delete(id: string): void;
}
