import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Logger, silentLog, WharfError } from '../base/index.ts';
import type { Database } from '../meta/types.ts';
import { diskUsage, spreadBelow } from '../sys/index.ts';
import { type Change, treeChanges } from './changes.ts';
import { DiskSync } from './disk-sync.ts';
import { checkLayerName, type SnapshotRecord, SnapshotRecords } from './records.ts';
import { Trash } from './trash.ts';
import type { MountSpec, SnapshotInfo, Snapshotter, Usage } from './types.ts';

/** How one kind of snapshotter fills and shows its folders. */
export interface FolderDriver {
  name: string;
  /** Table of the records. */
  collection: string;
  /** Fills the new, existing `folder` of a snapshot; `parent` is the parent's tree. */
  fill(folder: string, parent: string | undefined): void;
  /** Makes `tree`, which was filled on nothing, one that stands on the tree `parent`. False when nothing had to be changed. */
  adopt(tree: string, parent: string): boolean;
  /** The mount that shows a record's tree; `readOnly` shows one that could be written as it shows a layer. */
  mount(record: SnapshotRecord, readOnly?: boolean): MountSpec;
}

/** Where the snapshots are and who keeps their records. */
export interface SnapshotterOptions {
  root: string;
  database: Database;
  log?: Logger;
}

/**
 * A snapshotter that keeps each snapshot in `<root>/<number>/fs`. A record is written after its folder was made and
 * deleted before the folder goes, so a crash leaves at most a folder without a record, which `recover` removes.
 */
export class DirectorySnapshotter implements Snapshotter {
  readonly name: string;
  private readonly root: string;
  private readonly driver: FolderDriver;
  private readonly records: SnapshotRecords;
  private readonly trash: Trash;
  private readonly disk: DiskSync;
  private next: number;

  constructor(options: SnapshotterOptions, driver: FolderDriver) {
    this.name = driver.name;
    this.root = options.root;
    this.driver = driver;
    this.disk = new DiskSync(options.root);
    // 0710: members of the group may pass to a path they know, nobody else may look.
    mkdirSync(options.root, { recursive: true, mode: 0o710 });
    // Otherwise all layers crowd into the same inodes, and ext4 looks one by one past those that were freed lately:
    // docs/decisions/0009.
    spreadBelow(options.root);
    this.records = new SnapshotRecords(options.database, driver.collection);
    this.trash = new Trash(join(options.root, 'trash'), options.log ?? silentLog);
    const taken = [...this.folders(), ...this.records.all().map((record) => record.folder)];
    this.next = taken.reduce((most, folder) => Math.max(most, folder), 0) + 1;
  }

  async prepare(key: string, parent: string | undefined): Promise<void> {
    const lower = this.records.checkNew(key, parent);
    const folder = this.next++;
    const path = join(this.root, String(folder));
    mkdirSync(path, { mode: 0o700 });
    try {
      this.driver.fill(path, lower[0] === undefined ? undefined : this.tree(lower[0]));
      this.records.put({ key, kind: 'active', parent, folder, lower });
    } catch (thrown) {
      this.trash.take(path);
      throw WharfError.from(thrown);
    }
  }

  directory(key: string): string {
    return this.tree(this.records.get(key).folder);
  }

  mount(key: string): MountSpec {
    return this.driver.mount(this.records.get(key));
  }

  view(key: string): MountSpec {
    return this.driver.mount(this.records.get(key), true);
  }

  async commit(name: string, key: string, parent?: string, made?: Promise<unknown>): Promise<void> {
    // Awaited below; without this it would count as unhandled until then.
    made?.catch(() => {});
    checkLayerName(name);
    const active = this.records.get(key);
    if (active.kind !== 'active') throw new WharfError('conflict', `snapshot ${key} is committed already`);
    if (this.records.find(name)?.kind === 'layer') return this.remove(key);
    if (made) {
      await this.disk.sync();
      await made;
    }
    const [below] = this.records.below(this.placed(active, parent));
    const adopts = active.parent === undefined && below !== undefined;
    const adopted = adopts && this.driver.adopt(this.tree(active.folder), this.tree(below));
    if (adopted || !made) await this.disk.sync();
    const other = this.records.find(name);
    if (other?.kind === 'layer') return this.remove(key);
    if (other) throw new WharfError('conflict', `snapshot ${name} exists already and is not a layer`);
    // Everything again: the sync took its time.
    this.records.become(this.records.get(key), name, this.placed(active, parent));
  }

  stat(key: string): SnapshotInfo | undefined {
    const record = this.records.find(key);
    return record && info(record);
  }

  list(): SnapshotInfo[] {
    return this.records.all().map(info);
  }

  async usage(key: string): Promise<Usage> {
    return diskUsage(this.directory(key));
  }

  async changes(key: string): Promise<Change[]> {
    const { folder, lower } = this.records.get(key);
    return treeChanges(
      this.tree(folder),
      lower.map((layer) => this.tree(layer)),
    );
  }

  async remove(key: string): Promise<void> {
    const { folder } = this.records.remove(key);
    this.trash.take(join(this.root, String(folder)));
  }

  settled(): Promise<void> {
    return this.trash.settled();
  }

  async recover(): Promise<{ removed: string[]; damaged: string[] }> {
    const records = this.records.all();
    const named = new Set(records.map((record) => record.folder));
    const removed = this.folders().filter((folder) => !named.has(folder));
    for (const folder of removed) this.trash.take(join(this.root, String(folder)));
    const lost = new Set(
      records.filter((record) => !existsSync(this.tree(record.folder))).map(({ folder }) => folder),
    );
    // What stands on a lost layer can't be mounted, but its own files may be all that is left of someone's work.
    const damaged = records.filter(({ folder, lower }) => [folder, ...lower].some((one) => lost.has(one)));
    for (const record of damaged) if (lost.has(record.folder)) this.mend(record, lost);
    this.trash.emptyLater();
    return { removed: removed.map(String), damaged: damaged.map((record) => record.key) };
  }

  /**
   * A power cut takes the directory of what was just made and leaves its record: what containers write to begins anew, empty, so
   * that they can be started. Nothing can take a committed layer's place.
   */
  private mend(record: SnapshotRecord, lost: ReadonlySet<number>): void {
    const { kind, folder, lower } = record;
    if (kind !== 'active' || lower.some((one) => lost.has(one))) {
      this.records.drop(record.key);
      return;
    }
    const path = join(this.root, String(folder));
    if (existsSync(path)) this.trash.take(path);
    mkdirSync(path, { mode: 0o700 });
    this.driver.fill(path, lower[0] === undefined ? undefined : this.tree(lower[0]));
  }

  /** The parent of the layer that an active snapshot becomes. */
  private placed(active: SnapshotRecord, parent: string | undefined): string | undefined {
    if (parent === undefined || active.parent === undefined) return parent ?? active.parent;
    if (parent !== active.parent)
      throw new WharfError('conflict', `snapshot ${active.key} stands on ${active.parent}, not on ${parent}`);
    return parent;
  }

  private tree(folder: number): string {
    return join(this.root, String(folder), 'fs');
  }

  private folders(): number[] {
    return readdirSync(this.root)
      .filter((name) => /^[1-9]\d{0,14}$/.test(name))
      .map(Number);
  }
}

function info({ key, kind, parent }: SnapshotRecord): SnapshotInfo {
  return { key, kind, parent };
}
