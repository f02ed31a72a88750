import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { errnoCode, WharfError } from '../base/index.ts';
import { isErrno, reserveSpace } from '../sys/index.ts';
import { type SqlAccess, SqliteCollection } from './collection.ts';
import { migrate } from './schema.ts';
import type { Collection, CollectionSpec, Database } from './types.ts';

/**
 * Opens the database file, making it and its folder when missing, and owns it until it is disposed: another process
 * that opens it is refused with `conflict`. Its files are for their owner's eyes alone. Errors: `conflict` also for a newer schema; `corrupt` when it is no database.
 */
export function openDatabase(file: string): Database {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  makePrivate(`${file}.lock`);
  const lock = takeLock(file);
  try {
    makePrivate(file);
    for (const companion of ['-wal', '-shm']) closeToOthers(`${file}${companion}`);
    return new SqliteDatabase(file, lock);
  } catch (thrown) {
    lock[Symbol.dispose]();
    throw converted(thrown, file);
  }
}

/** SQLite gives its companions the mode of the database: an empty file of the right mode must be there first. */
function makePrivate(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (thrown) {
    // A file that is there is never opened here: to close it would drop the locks that this process has on it (fcntl(2)).
    if (errnoCode(thrown) !== 'EEXIST') throw WharfError.from(thrown);
    closeToOthers(file);
  }
}

function closeToOthers(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.isFile() && found.uid === process.geteuid?.() && (found.mode & 0o077) !== 0)
    chmodSync(file, 0o600);
}

/** A database of the same kind that lives in memory only: for tests. */
export function openMemoryDatabase(): Database {
  return new SqliteDatabase(':memory:', undefined);
}

/**
 * A lock of SQLite's own, on a database beside the true one which holds nothing: the kernel drops it with the process, no child
 * inherits it, and it needs no FFI, whose library would take a tenth of a small process. It keeps no journal: there is nothing to
 * take back, and a full disk, of xfs, would not have the inode.
 */
function takeLock(file: string): Disposable {
  const lock = new DatabaseSync(`${file}.lock`);
  try {
    lock.exec('PRAGMA journal_mode=MEMORY; PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (thrown) {
    lock.close();
    if ((thrown as { errcode?: number }).errcode !== SQLITE_BUSY) throw converted(thrown, `${file}.lock`);
    throw new WharfError(
      'conflict',
      `the data root ${dirname(file)} is in use by another running daemon: stop that one, or give this one another data root`,
    );
  }
  return { [Symbol.dispose]: () => lock.close() };
}

const SQLITE_BUSY = 5;

/** Bytes of the write-ahead log at which it is folded back: SQLite's default of 1,000 pages, each with its header. */
const LOG_BYTES = 1000 * (4096 + 24) + 32;

/** Takes room for the whole log beforehand: on a full disk it must be written down what gives room back. */
function reserveLog(file: string): void {
  const log = openSync(`${file}-wal`, 'r+');
  try {
    reserveSpace(log, 0, LOG_BYTES);
  } catch (thrown) {
    // The disk is full already, or its filesystem can't do it: then there is no such comfort.
    if (!isErrno(thrown, 'ENOSPC', 'EDQUOT', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS')) throw thrown;
  } finally {
    closeSync(log);
  }
}

class SqliteDatabase implements Database, SqlAccess {
  readonly schemaVersion: number;
  private readonly db: DatabaseSync;
  private readonly lock: Disposable | undefined;
  private readonly file: string;
  private depth = 0;

  constructor(file: string, lock: Disposable | undefined) {
    this.file = file;
    this.lock = lock;
    this.db = new DatabaseSync(file);
    try {
      // FULL makes every commit durable in WAL mode. The WAL is folded back at 1,000 pages, SQLite's default.
      this.db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON');
      this.schemaVersion = migrate(this.db);
      if (lock) reserveLog(file);
    } catch (thrown) {
      this.db.close();
      throw thrown;
    }
  }

  collection<T extends object>(spec: CollectionSpec<T>): Collection<T> {
    if (!/^[a-z][a-z0-9_]*$/.test(spec.name)) {
      throw new WharfError('internal', `"${spec.name}" can't name a collection`);
    }
    return new SqliteCollection(this, spec);
  }

  transaction<T>(work: () => T): T {
    // Nested calls join the outer one by a savepoint: an inner failure that is caught takes back only the inner writes.
    const savepoint = this.depth === 0 ? undefined : `nested_${this.depth}`;
    this.db.exec(savepoint === undefined ? 'BEGIN IMMEDIATE' : `SAVEPOINT ${savepoint}`);
    this.depth += 1;
    try {
      const result = work();
      if (result instanceof Promise)
        throw new WharfError('internal', 'work in a transaction must be synchronous');
      this.db.exec(savepoint === undefined ? 'COMMIT' : `RELEASE ${savepoint}`);
      return result;
    } catch (thrown) {
      // SQLite rolls back by itself when the disk is full or fails; then there is nothing left to take back.
      if (this.db.isTransaction) {
        this.db.exec(savepoint === undefined ? 'ROLLBACK' : `ROLLBACK TO ${savepoint}; RELEASE ${savepoint}`);
      }
      throw converted(thrown, this.file);
    } finally {
      this.depth -= 1;
    }
  }

  check(): string[] {
    const rows = this.db.prepare('PRAGMA integrity_check').all();
    return rows.map((row) => String(row['integrity_check'])).filter((line) => line !== 'ok');
  }

  prepare(sql: string): StatementSync {
    return this.db.prepare(sql);
  }

  run(statement: StatementSync, ...values: SQLInputValue[]): number {
    try {
      return Number(statement.run(...values).changes);
    } catch (thrown) {
      throw converted(thrown, this.file);
    }
  }

  exec(sql: string): void {
    this.db.exec(sql);
  }

  [Symbol.dispose](): void {
    if (!this.db.isOpen) return;
    this.db.close();
    this.lock?.[Symbol.dispose]();
  }
}

function converted(thrown: unknown, file: string): unknown {
  if (errnoCode(thrown) !== 'ERR_SQLITE_ERROR') return thrown;
  const code = (thrown as { errcode?: number }).errcode ?? 0;
  const message = `database ${file}: ${(thrown as Error).message}`;
  // Primary result codes, https://sqlite.org/rescode.html: 11 CORRUPT, 13 FULL, 19 CONSTRAINT, 26 NOTADB.
  const primary = code & 0xff;
  if (primary === 13) return new WharfError('exhausted', message, { cause: thrown });
  if (primary === 19) return new WharfError('conflict', message, { cause: thrown });
  if (primary === 11 || primary === 26) return new WharfError('corrupt', message, { cause: thrown });
  return new WharfError('internal', message, { cause: thrown });
}
