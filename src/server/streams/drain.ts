import type { Writable } from 'node:stream';

/** Resolves when the writable takes more, or at once when it never will. */
export async function drained(writable: Writable): Promise<void> {
  if (!writable.writableNeedDrain || writable.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  writable.once('drain', resolve).once('close', resolve);
  await promise;
  writable.off('drain', resolve).off('close', resolve);
}

/**
 * Writes the pieces so that all that is written in one turn of the event loop leaves in one system call. True: go on.
 * @param wire the connection beneath, when `writable` is a message on it.
 */
export function writeCoalesced(writable: Writable, pieces: readonly Uint8Array[], wire = writable): boolean {
  if (wire.writableCorked === 0) {
    wire.cork();
    setImmediate(() => wire.uncork());
  }
  let more = true;
  for (const piece of pieces) more = writable.write(piece);
  if (!more) while (wire.writableCorked > 0) wire.uncork();
  return more;
}
