import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isKind, type Logger, WharfError } from '../base/index.ts';
import { type ContentStore, Leases, openContentStore } from '../content/index.ts';
import { type Database, openDatabase } from '../meta/index.ts';

/** A registry's own store, owned by this process. */
export interface RegistryRoot extends Disposable {
  readonly content: ContentStore;
  readonly database: Database;
  readonly leases: Leases;
}

/**
 * Opens a root, making it when missing. Errors: `conflict` when another registry runs over it, `invalid` when it can't be
 * made.
 */
export async function openRegistryRoot(root: string, log: Logger): Promise<RegistryRoot> {
  makeFolder(root);
  const database = own(join(root, 'meta.db'), root);
  try {
    const content = openContentStore(join(root, 'content'));
    await content.recover();
    log.debug('the root is open', { root });
    return { content, database, leases: new Leases(), [Symbol.dispose]: () => database[Symbol.dispose]() };
  } catch (thrown) {
    database[Symbol.dispose]();
    throw thrown;
  }
}

function makeFolder(root: string): void {
  try {
    mkdirSync(root, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new WharfError(
      'invalid',
      `${JSON.stringify(root)} can't be the folder of a registry: ${WharfError.from(cause).message}`,
      { cause },
    );
  }
}

function own(file: string, root: string): Database {
  try {
    return openDatabase(file);
  } catch (cause) {
    if (!isKind(cause, 'conflict')) throw cause;
    throw new WharfError('conflict', `another registry runs over ${root}: give this one a root of its own`, {
      cause,
    });
  }
}
