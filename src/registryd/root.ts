import { chmodSync, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isKind, type Logger, makeFolder, WharfError } from '../base/index.ts';
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
  ownFolder(root);
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

/** Images, keys and the audit log are nobody's but the registry's: a folder that an older one left open is closed. */
function ownFolder(root: string): void {
  try {
    makeFolder(root, 0o700);
    const { mode, uid } = statSync(root);
    // Only a registry's own or an empty one: who names /srv by mistake must not find it closed.
    const ours = existsSync(join(root, 'meta.db')) || readdirSync(root).length === 0;
    if (ours && uid === process.geteuid?.() && (mode & 0o777) !== 0o700) chmodSync(root, 0o700);
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
