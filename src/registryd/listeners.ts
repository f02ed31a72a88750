import { readFileSync } from 'node:fs';
import type { Server, ServerOptions } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { errnoCode, nodeHttp, WharfError } from '../base/index.ts';
import type { RegistryServer } from '../registry/server/index.ts';
import { formatAddress, type ListenAddress, type RegistrySettings } from './settings.ts';

/** Connections that wait to be accepted; the kernel cuts this to its somaxconn. */
const BACKLOG = 4096;

/** The sockets on which a registry is served. */
export interface Listeners {
  /** As bound, with the ports that were free where 0 was asked for. */
  readonly addresses: readonly ListenAddress[];
  /** Reads the certificate and its key again, for connections to come. Errors: `invalid`; the old ones stay then. */
  reloadTls(): void;
  /** Takes no more connections, lets requests under way finish for so many milliseconds, and cuts the rest. */
  close(graceMs: number): Promise<void>;
}

/** Binds every address, or none. Errors: `conflict` when one is taken, `invalid` for TLS files that are none. */
export async function openListeners(
  registry: RegistryServer,
  settings: Pick<RegistrySettings, 'listen' | 'tls'>,
): Promise<Listeners> {
  const servers: Server[] = [];
  try {
    for (const address of settings.listen) {
      const server = createServer(registry, settings.tls);
      servers.push(server);
      await listen(server, address);
    }
  } catch (thrown) {
    for (const server of servers) server.close();
    throw thrown;
  }
  return {
    addresses: servers.map((server, at) => ({
      host: settings.listen[at]?.host ?? '',
      port: (server.address() as AddressInfo).port,
    })),
    reloadTls() {
      if (!settings.tls) return;
      const pair = readPair(settings.tls);
      for (const server of servers) (server as TlsServer).setSecureContext({ ...pair, minVersion: MIN_TLS });
    },
    close: (graceMs) => closeServers(registry, servers, graceMs),
  };
}

const MIN_TLS = 'TLSv1.2';

function createServer(registry: RegistryServer, tls: RegistrySettings['tls']): Server {
  const options: ServerOptions = registry.settings;
  if (!tls) {
    const server = nodeHttp().createServer(options);
    registry.attach(server);
    return server;
  }
  const https = process.getBuiltinModule('node:https');
  const pair = readPair(tls);
  try {
    const server = https.createServer({ ...options, ...pair, minVersion: MIN_TLS, handshakeTimeout: 10_000 });
    registry.attach(server);
    return server;
  } catch (cause) {
    throw wrongPair(tls, cause);
  }
}

/** Both files, known to fit together. */
function readPair(tls: NonNullable<RegistrySettings['tls']>): { cert: Buffer; key: Buffer } {
  try {
    const pair = { cert: readFileSync(tls.cert), key: readFileSync(tls.key) };
    process.getBuiltinModule('node:tls').createSecureContext(pair);
    return pair;
  } catch (cause) {
    throw wrongPair(tls, cause);
  }
}

const wrongPair = (tls: NonNullable<RegistrySettings['tls']>, cause: unknown) =>
  new WharfError(
    'invalid',
    `registry: tlscert ${tls.cert} and tlskey ${tls.key} can't be used: ${WharfError.from(cause).message}`,
    { cause },
  );

async function listen(server: Server, address: ListenAddress): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('listening', resolve).once('error', reject);
  try {
    server.listen({ host: address.host, port: address.port, backlog: BACKLOG });
    await promise;
  } catch (cause) {
    const taken = errnoCode(cause) === 'EADDRINUSE';
    throw new WharfError(
      taken ? 'conflict' : 'invalid',
      `registry: ${formatAddress(address)} can't be listened on: ${taken ? 'another process does' : WharfError.from(cause).message}`,
      { cause },
    );
  } finally {
    server.off('listening', resolve).off('error', reject);
  }
}

async function closeServers(
  registry: RegistryServer,
  servers: readonly Server[],
  graceMs: number,
): Promise<void> {
  const closed = servers.map((server) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    server.closeIdleConnections();
    return promise;
  });
  const all = Promise.all(closed).then(() => 'closed' as const);
  const { promise: late, resolve } = Promise.withResolvers<'late'>();
  const timer = setTimeout(resolve, graceMs, 'late');
  const end = await Promise.race([all, late]);
  clearTimeout(timer);
  await registry.close();
  if (end === 'late') for (const server of servers) server.closeAllConnections();
  await all;
}
