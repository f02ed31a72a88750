import { chmodSync, chownSync, lstatSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:net';
import { connect } from 'node:net';
import { errnoCode, WharfError } from '../base/index.ts';

/** TLS with keys as PEM texts. `clientCa`: clients must show a certificate that it signed. */
export interface TlsOptions {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  readonly clientCa?: string | Buffer;
}

/** Where to listen. Plain TCP is the daemon's decision, and its warning. */
export type ListenTarget =
  | { readonly kind: 'unix'; readonly path: string; readonly mode?: number; readonly gid?: number }
  /** An inherited socket, as systemd hands it over. */
  | { readonly kind: 'fd'; readonly fd: number }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly tls?: TlsOptions };

/** Unix sockets are for root and one group. */
const SOCKET_MODE = 0o660;
/** A full queue refuses connections on Unix sockets; the kernel cuts this to its somaxconn. */
const BACKLOG = 4096;

/** Starts listening; `conflict` when somebody else does there, and that one is left unharmed. */
export async function listenOn(server: Server, target: ListenTarget): Promise<void> {
  if (target.kind === 'unix') await removeStaleSocket(target.path);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('listening', resolve).once('error', reject);
  try {
    if (target.kind === 'unix') listenUnix(server, target.path, target.mode ?? SOCKET_MODE);
    else if (target.kind === 'fd') server.listen({ fd: target.fd, backlog: BACKLOG });
    else server.listen({ host: target.host, port: target.port, backlog: BACKLOG });
    await promise;
    if (target.kind === 'unix') setAccess(target.path, target.mode ?? SOCKET_MODE, target.gid);
  } catch (cause) {
    server.close();
    const kind = errnoCode(cause) === 'EADDRINUSE' ? 'conflict' : 'internal';
    throw new WharfError(kind, `cannot listen on ${describeTarget(target)}: ${(cause as Error).message}`, {
      cause,
    });
  } finally {
    server.off('listening', resolve).off('error', reject);
  }
}

/** `unix:///path`, `fd://3` or `tcp://host:port`. */
export function describeTarget(target: ListenTarget): string {
  if (target.kind === 'unix') return `unix://${target.path}`;
  return target.kind === 'fd' ? `fd://${target.fd}` : `tcp://${target.host}:${target.port}`;
}

/** The bind happens within `listen`, so that the mask leaves no moment in which others may connect. */
function listenUnix(server: Server, path: string, mode: number): void {
  const before = process.umask(0o777 & ~mode);
  try {
    server.listen({ path, backlog: BACKLOG });
  } finally {
    process.umask(before);
  }
}

function setAccess(path: string, mode: number, gid: number | undefined): void {
  if (gid !== undefined) chownSync(path, 0, gid);
  chmodSync(path, mode);
}

async function removeStaleSocket(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isSocket())
    throw new WharfError('conflict', `cannot listen on ${path}: it exists and is no socket`);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = connect({ path });
  probe
    .once('connect', () => resolve(true))
    .once('error', (error) => resolve(errnoCode(error) !== 'ECONNREFUSED'));
  const alive = await promise;
  probe.destroy();
  if (alive) throw new WharfError('conflict', `cannot listen on ${path}: another process listens there`);
  unlinkSync(path);
}
