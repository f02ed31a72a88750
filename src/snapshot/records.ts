import { WharfError } from '../base/index.ts';
import type { Collection, Database } from '../meta/types.ts';
import type { SnapshotInfo } from './types.ts';

/** A snapshot as stored. `lower` holds the folder numbers of its parents, nearest first, so that a mount reads one record. */
export interface SnapshotRecord extends SnapshotInfo {
  folder: number;
  lower: number[];
}

const KEY = /^[A-Za-z0-9_.:-]{1,256}$/;

/** The records of one snapshotter. */
export class SnapshotRecords {
  private readonly database: Database;
  private readonly records: Collection<SnapshotRecord>;

  constructor(database: Database, collection: string) {
    this.database = database;
    this.records = database.collection<SnapshotRecord>({
      name: collection,
      key: (record) => record.key,
      indexes: { parent: { of: (record) => record.parent } },
    });
  }

  all(): SnapshotRecord[] {
    return this.records.all();
  }

  find(key: string): SnapshotRecord | undefined {
    return this.records.get(key);
  }

  /** The record. Errors: `not-found`. */
  get(key: string): SnapshotRecord {
    const record = this.records.get(key);
    if (!record) throw new WharfError('not-found', `snapshot ${key} does not exist`);
    return record;
  }

  /** The folders below a new snapshot on `parent`. Errors: `invalid` key, `conflict` when taken, `not-found` parent. */
  checkNew(key: string, parent: string | undefined): number[] {
    if (!KEY.test(key))
      throw new WharfError('invalid', `${JSON.stringify(key.slice(0, 80))} can't name a snapshot`);
    if (this.records.get(key)) throw new WharfError('conflict', `snapshot ${key} exists already`);
    return this.below(parent);
  }

  /** The folders below what stands on `parent`, nearest first. Errors: `not-found`; `conflict` when it is no layer. */
  below(parent: string | undefined): number[] {
    if (parent === undefined) return [];
    const below = this.get(parent);
    if (below.kind !== 'layer')
      throw new WharfError('conflict', `snapshot ${parent} is not committed: nothing can stand on it`);
    return [below.folder, ...below.lower];
  }

  put(record: SnapshotRecord): void {
    this.records.put(record);
  }

  /** Turns the active record into the layer on `parent`, in one durable step. Errors: as `below`. */
  become(active: SnapshotRecord, name: string, parent: string | undefined): void {
    const lower = this.below(parent);
    this.database.transaction(() => {
      this.records.delete(active.key);
      this.records.put({ ...active, key: name, kind: 'layer', parent, lower });
    });
  }

  /** Deletes the record. Errors: `not-found`; `conflict` while another stands on it. */
  remove(key: string): SnapshotRecord {
    const record = this.get(key);
    const [child] = this.records.find('parent', key);
    if (child) throw new WharfError('conflict', `snapshot ${key} is in use: ${child.key} stands on it`);
    this.records.delete(key);
    return record;
  }

  /** Deletes the record whatever stands on it: its files are lost. */
  drop(key: string): void {
    this.records.delete(key);
  }
}

/** Checks the name of a layer. Errors: `invalid`. */
export function checkLayerName(name: string): void {
  if (!KEY.test(name))
    throw new WharfError('invalid', `${JSON.stringify(name.slice(0, 80))} can't name a layer`);
}
