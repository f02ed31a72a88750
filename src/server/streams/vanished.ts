import type { Duplex } from 'node:stream';
import { hungUp } from '../../sys/index.ts';

/** A client that has ended its side may be looked for this often, in milliseconds: the kernel has no event for it. */
const LOOK_MS = 5_000;

interface Watched {
  fd: number;
  leave: () => void;
}

const watched = new Set<Watched>();
let timer: NodeJS.Timeout | undefined;

/**
 * Calls `leave` once the client of a connection is gone for good. One that only ended its side still reads, and the two
 * look alike until something is written, which an idle process never does. Returns what ends the watch.
 */
export function whenVanished(connection: Duplex, leave: () => void): () => void {
  const fd = descriptorOf(connection);
  if (fd === undefined) return () => undefined;
  const entry = { fd, leave };
  if (hungUp([fd])[0]) {
    leave();
    return () => undefined;
  }
  watched.add(entry);
  timer ??= setInterval(look, LOOK_MS).unref();
  return () => {
    watched.delete(entry);
    if (watched.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function look(): void {
  const entries = [...watched];
  const gone = hungUp(entries.map((entry) => entry.fd));
  for (const [at, entry] of entries.entries()) if (gone[at]) entry.leave();
}

/** The descriptor of a connection: Node keeps it on the socket's handle. */
export function descriptorOf(connection: Duplex): number | undefined {
  const { _handle: handle } = connection as { _handle?: { fd?: unknown } | null };
  return typeof handle?.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined;
}
