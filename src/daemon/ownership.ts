import { closeSync, openSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, WharfError } from '../base/index.ts';
import { flock } from '../sys/index.ts';

/** Where daemons on one host find each other's locks on what has a name in the kernel. */
const HOST_LOCKS = '/run/lock/wharf';

/**
 * The same settings, with both roots (made if they are not there) as the kernel names them: mount points below are known by
 * these names alone, whatever links lead there. `/var/run` is one on most hosts. Errors: `invalid` where no folder can be made.
 */
export function withRealRoots<S extends { dataRoot: string; execRoot: string }>(settings: S): S {
  // Only root and who knows a path below may pass: images hold setuid programs.
  makeFolder(settings.dataRoot, 0o710);
  makeFolder(settings.execRoot, 0o711);
  const [dataRoot, execRoot] = [realpathSync(settings.dataRoot), realpathSync(settings.execRoot)];
  return { ...settings, dataRoot, execRoot };
}

/**
 * Takes the exec root for this daemon alone, until it ends or lets go. Two data roots over one exec root would each take
 * the other's running containers for leftovers of a crash. Errors: `conflict` when another daemon has it.
 */
export function ownExecRoot(execRoot: string): Disposable {
  makeFolder(execRoot, 0o711);
  return own(
    join(execRoot, 'wharfd.lock'),
    `the exec root ${execRoot} is in use by another running daemon: give this one another by --exec-root`,
  );
}

/**
 * Takes the bridge and the nft table for this daemon alone: another daemon's would be rebuilt from this one's records.
 * Errors: `conflict` when another daemon has one of them, `invalid` for a name that can't be one.
 */
export function ownNetworkNames(names: { bridge: string; nftTable: string }, locks = HOST_LOCKS): Disposable {
  for (const name of [names.bridge, names.nftTable]) {
    if (!/^[A-Za-z][A-Za-z0-9_.-]*$/.test(name))
      throw new WharfError('invalid', `"${name}" is no name of a bridge or nft table`);
  }
  makeFolder(locks, 0o700);
  const bridge = own(
    join(locks, `bridge-${names.bridge}.lock`),
    `the bridge ${names.bridge} belongs to another running daemon: give this one another by --bridge`,
  );
  try {
    const table = own(
      join(locks, `nft-${names.nftTable}.lock`),
      `the nft table ${names.nftTable} belongs to another running daemon: give this one another by --nft-table`,
    );
    return {
      [Symbol.dispose]() {
        table[Symbol.dispose]();
        bridge[Symbol.dispose]();
      },
    };
  } catch (thrown) {
    bridge[Symbol.dispose]();
    throw thrown;
  }
}

/** Holds a lock file until it is let go or this process ends. The file stays: removing it would let two hold it. */
function own(path: string, refusal: string): Disposable {
  const lock = openSync(path, 'a', 0o600);
  let taken = false;
  try {
    taken = flock(lock, { exclusive: true, nonBlocking: true });
  } finally {
    if (!taken) closeSync(lock);
  }
  if (!taken) throw new WharfError('conflict', refusal);
  return { [Symbol.dispose]: () => closeSync(lock) };
}
