import type { DatabaseSync } from 'node:sqlite';
import { WharfError } from '../base/index.ts';

/** One step from the schema before it; it runs once, in a transaction with the steps beside it. */
export type Migration = (db: DatabaseSync) => void;

/** Migrations by order: the one at index n leads to schema n + 1. An entry never changes once it was released. */
export const MIGRATIONS: readonly Migration[] = [
  // Schema 1: collections make their own tables; nothing is shared between them.
  () => undefined,
];

/**
 * Brings the file to the newest schema and returns its number; all steps hold or none. Errors: `conflict` when the file
 * was written by a newer build.
 */
export function migrate(db: DatabaseSync, migrations: readonly Migration[] = MIGRATIONS): number {
  const found = Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (found > migrations.length) {
    throw new WharfError(
      'conflict',
      `the database has schema ${found}, and this build knows up to ${migrations.length}: start the newer build, or restore a backup`,
    );
  }
  if (found === migrations.length) return found;
  db.exec('BEGIN IMMEDIATE');
  try {
    for (const step of migrations.slice(found)) step(db);
    db.exec(`PRAGMA user_version = ${migrations.length}; COMMIT`);
  } catch (thrown) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw thrown;
  }
  return migrations.length;
}
