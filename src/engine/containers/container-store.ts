import { KeyedLock, span, WharfError } from '../../base/index.ts';
import type { Collection, Database } from '../../meta/types.ts';
import type { ContainerRecord } from './record.ts';
import type { ContainerStore } from './store.ts';

/** Loads the container records of the database. */
export function openContainerStore(database: Database): ContainerStore {
  return new DatabaseContainerStore(database);
}

class DatabaseContainerStore implements ContainerStore {
  private readonly collection: Collection<ContainerRecord>;
  private readonly records = new Map<string, ContainerRecord>();
  private readonly idByName = new Map<string, string>();
  private readonly locks = new KeyedLock();
  /** Ids in order, for prefixes; rebuilt when the set of containers has changed. */
  private sortedIds: string[] | undefined;
  private newestFirst: ContainerRecord[] | undefined;

  constructor(database: Database) {
    this.collection = database.collection<ContainerRecord>({
      name: 'containers',
      key: (record) => record.id,
      indexes: { name: { unique: true, of: (record) => record.name } },
    });
    for (const record of this.collection.all()) this.remember(record);
  }

  resolve(ref: string): ContainerRecord {
    const named = ref.startsWith('/') ? ref.slice(1) : ref;
    const exact = this.records.get(ref) ?? this.records.get(this.idByName.get(named) ?? '');
    if (exact) return exact;
    const [first, second] = this.withPrefix(ref);
    if (first === undefined) throw new WharfError('not-found', `No such container: ${ref}`);
    if (second !== undefined) {
      throw new WharfError('invalid', `multiple IDs found with provided prefix: ${ref}`);
    }
    return this.records.get(first) as ContainerRecord;
  }

  get(id: string): ContainerRecord | undefined {
    return this.records.get(id);
  }

  all(): ContainerRecord[] {
    this.newestFirst ??= [...this.records.values()].sort((a, b) => compareTimes(b.created, a.created));
    return this.newestFirst.slice();
  }

  async withLock<T>(ref: string, work: (record: ContainerRecord) => Promise<T>): Promise<T> {
    const { id } = this.resolve(ref);
    return this.locks.with(id, async () => {
      const record = this.records.get(id);
      if (!record) throw new WharfError('not-found', `No such container: ${ref}`);
      return work(record);
    });
  }

  insert(record: ContainerRecord): void {
    this.refuseTaken(record.name);
    if (this.records.has(record.id)) throw new WharfError('conflict', `container ${record.id} exists`);
    this.collection.put(record);
    this.remember(record);
  }

  save(record: ContainerRecord): void {
    using _ = span('record', record.id);
    if (this.records.get(record.id) !== record) {
      throw new WharfError('not-found', `No such container: ${record.id}`);
    }
    this.collection.put(record);
  }

  rename(record: ContainerRecord, name: string): void {
    this.refuseTaken(name);
    const before = record.name;
    record.name = name;
    try {
      this.save(record);
    } catch (thrown) {
      record.name = before;
      throw thrown;
    }
    this.idByName.delete(before);
    this.idByName.set(name, record.id);
  }

  delete(id: string): void {
    const record = this.records.get(id);
    if (!record) return;
    this.collection.delete(id);
    this.records.delete(id);
    this.idByName.delete(record.name);
    this.sortedIds = undefined;
    this.newestFirst = undefined;
  }

  private remember(record: ContainerRecord): void {
    this.records.set(record.id, record);
    this.idByName.set(record.name, record.id);
    this.sortedIds = undefined;
    this.newestFirst = undefined;
  }

  private refuseTaken(name: string): void {
    const holder = this.idByName.get(name);
    if (holder === undefined) return;
    throw new WharfError(
      'conflict',
      `Conflict. The container name "/${name}" is already in use by container "${holder}". ` +
        'You have to remove (or rename) that container to be able to reuse that name.',
    );
  }

  /** At most two ids that start with `prefix`. */
  private withPrefix(prefix: string): string[] {
    if (!/^[0-9a-f]{1,64}$/.test(prefix)) return [];
    this.sortedIds ??= [...this.records.keys()].sort();
    const ids = this.sortedIds;
    let low = 0;
    let high = ids.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ids[middle] as string) < prefix) low = middle + 1;
      else high = middle;
    }
    return ids.slice(low, low + 2).filter((id) => id.startsWith(prefix));
  }
}

/** Orders RFC 3339 times in UTC whose fractions may have different lengths. */
export function compareTimes(a: string, b: string): number {
  const [left, right] = [a.slice(0, 19), b.slice(0, 19)];
  if (left !== right) return left < right ? -1 : 1;
  const [leftPart, rightPart] = [a.slice(20, -1).padEnd(9, '0'), b.slice(20, -1).padEnd(9, '0')];
  return leftPart === rightPart ? 0 : leftPart < rightPart ? -1 : 1;
}
