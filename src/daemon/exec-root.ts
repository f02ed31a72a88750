import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { WharfError } from '../base/index.ts';
import { flock } from '../sys/index.ts';

/**
 * Takes the exec root for this daemon alone, until it ends or lets go. Two data roots over one exec root would each take
 * the other's running containers for leftovers of a crash. Errors: `conflict` when another daemon has it.
 */
export function ownExecRoot(execRoot: string): Disposable {
  mkdirSync(execRoot, { recursive: true, mode: 0o711 });
  const lock = openSync(join(execRoot, 'wharfd.lock'), 'a', 0o600);
  let taken = false;
  try {
    taken = flock(lock, { exclusive: true, nonBlocking: true });
  } finally {
    if (!taken) closeSync(lock);
  }
  if (taken) return { [Symbol.dispose]: () => closeSync(lock) };
  throw new WharfError(
    'conflict',
    `the exec root ${execRoot} is in use by another running daemon: give this one another by --exec-root`,
  );
}
