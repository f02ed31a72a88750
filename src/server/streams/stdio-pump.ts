import type { Duplex } from 'node:stream';
import type { StdioSession } from '../backend/index.ts';
import { DetachScanner } from './detach-keys.ts';
import { drained, writeCoalesced } from './drain.ts';
import { frame } from './stdio-frames.ts';
import { whenVanished } from './vanished.ts';

/** A client that got all output has this long to close its side. */
const LINGER_MS = 5_000;

const NO_KEYS = Buffer.alloc(0);

/**
 * Carries a session over a hijacked connection until the output has ended, the client is gone or typed the detach keys.
 * The client may end its side and still gets all output. `framed`: output in frames; otherwise both streams go as they are.
 */
export async function pumpSession(connection: Duplex, session: StdioSession, framed: boolean): Promise<void> {
  const { promise: gone, resolve: leave } = Promise.withResolvers<void>();
  // A broken connection is told by its close; an error needs a listener only to be no exception.
  connection.on('error', () => undefined).once('close', leave);
  if (connection.destroyed) leave();
  const finish = pumpInput(connection, session, leave);
  try {
    await Promise.race([pumpOutput(connection, session, framed), gone]);
  } finally {
    finish();
    session.close();
    hangUp(connection);
  }
}

async function pumpOutput(connection: Duplex, session: StdioSession, framed: boolean): Promise<void> {
  for await (const chunk of session.output) {
    if (connection.destroyed || connection.writableEnded) return;
    const more = writeCoalesced(connection, framed ? frame(chunk.stream, chunk.data) : [chunk.data]);
    if (!more) await drained(connection);
  }
}

/** Returns what stops it. */
function pumpInput(connection: Duplex, session: StdioSession, leave: () => void): () => void {
  const { input } = session;
  // Without a terminal the input is data, which may well hold those bytes.
  const scanner = new DetachScanner(session.tty ? session.detachKeys : NO_KEYS);
  let stopped = false;
  const failed = () => {
    // The process no longer reads: its input goes nowhere, its output still matters.
    stopped = true;
    connection.resume();
  };
  const onData = (chunk: Buffer) => {
    if (!input || stopped) return;
    const { data, detached } = scanner.feed(chunk);
    if (detached) {
      stopped = true;
      const before = data.length > 0 ? input.write(data) : Promise.resolve();
      before
        .catch(() => undefined)
        .finally(() => {
          session.detach();
          leave();
        });
      return;
    }
    if (data.length === 0) return;
    connection.pause();
    input.write(data).then(() => connection.resume(), failed);
  };
  let unwatch = () => {};
  const onEnd = () => {
    unwatch = whenVanished(connection, leave);
    if (!input || stopped) return;
    const held = scanner.flush();
    const last = held.length > 0 ? input.write(held) : Promise.resolve();
    last.then(() => input.end(), failed);
  };
  connection.on('data', onData).once('end', onEnd);
  connection.resume();
  return () => {
    stopped = true;
    unwatch();
    connection.resume();
  };
}

function hangUp(connection: Duplex): void {
  if (connection.destroyed) return;
  while (connection.writableCorked > 0) connection.uncork();
  connection.end();
  const timer = setTimeout(() => connection.destroy(), LINGER_MS);
  timer.unref();
  connection.once('close', () => clearTimeout(timer));
  if (connection.readableEnded) connection.once('finish', () => connection.destroy());
  else connection.once('end', () => connection.destroy());
}
