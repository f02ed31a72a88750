import { errnoCode, WharfError } from '../../base/index.ts';
import { clean, NetworkError } from './errors.ts';

const UNKNOWN_AUTHORITY = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_UNTRUSTED',
  'CERT_SIGNATURE_FAILURE',
]);

const SYSTEM: Record<string, string> = {
  ECONNREFUSED: 'connect: connection refused',
  ECONNRESET: 'connection reset by peer',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'i/o timeout',
  EPIPE: 'write: broken pipe',
};

/** A connection's failure with the text that Docker prints for it (after the `Get "https://…": ` of the request). */
export function networkError(thrown: unknown, url: URL): WharfError {
  if (thrown instanceof WharfError) return thrown;
  if (thrown instanceof Error && thrown.name === 'AbortError')
    return new WharfError('cancelled', 'context canceled', { cause: thrown });
  // A name with several addresses fails with all their errors; the first tells enough.
  const error = thrown instanceof AggregateError ? (thrown.errors[0] as unknown) : thrown;
  const code = errnoCode(error) ?? '';
  const words = error instanceof Error ? error.message : String(error);
  const tls = certificateText(code, words, url);
  if (tls !== undefined) return new NetworkError(tls, false, thrown);
  if (/wrong version number|packet length too long|http request/i.test(words))
    return new NetworkError('http: server gave HTTP response to HTTPS client', false, thrown);
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO')
    return new NetworkError(
      `remote error: tls: ${clean(/:SSL routines:[^:]*:([^:]*)/.exec(words)?.[1] ?? words)}`,
      false,
      thrown,
    );
  // The name that was looked for may be the proxy's.
  const name = clean((error as { hostname?: string } | undefined)?.hostname ?? url.hostname);
  if (code === 'ENOTFOUND')
    return new NetworkError(`dial tcp: lookup ${name}${resolver()}: no such host`, false, thrown);
  if (code === 'EAI_AGAIN')
    return new NetworkError(`dial tcp: lookup ${name}: Temporary failure in name resolution`, true, thrown);
  if (code === 'ERR_PROXY_TUNNEL') return new NetworkError(`proxyconnect tcp: ${clean(words)}`, true, thrown);
  return new NetworkError(systemText(code, words, error), code !== 'ERR_INVALID_URL', thrown);
}

/** ` on 192.0.2.53:53`: who was asked for a name, as Go programs tell it. */
function resolver(): string {
  const [server] = process.getBuiltinModule('node:dns').getServers();
  if (server === undefined) return '';
  const withPort = /^[\d.]+:\d+$|^\[.*\]:\d+$/.test(server);
  if (withPort) return ` on ${server}`;
  return server.includes(':') ? ` on [${server}]:53` : ` on ${server}:53`;
}

function systemText(code: string, words: string, error: unknown): string {
  if (words === 'socket hang up' || words === 'aborted') return 'unexpected EOF';
  const text = SYSTEM[code] ?? clean(words);
  const { address, port, syscall } = error as { address?: unknown; port?: unknown; syscall?: unknown };
  if (syscall !== 'connect' || address === undefined) return text;
  const host = String(address).includes(':') ? `[${String(address)}]` : String(address);
  return `dial tcp ${host}:${String(port)}: ${text}`;
}

function certificateText(code: string, words: string, url: URL): string | undefined {
  const failed = 'tls: failed to verify certificate: x509:';
  if (UNKNOWN_AUTHORITY.has(code)) return `${failed} certificate signed by unknown authority`;
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return `${failed} certificate has expired or is not yet valid`;
  if (code === 'CERT_REVOKED') return `${failed} certificate is revoked`;
  if (code !== 'ERR_TLS_CERT_ALTNAME_INVALID') return undefined;
  if (/^[\d.]+$|^\[/.test(url.hostname) && !/IP Address:/.test(words))
    return `${failed} cannot validate certificate for ${url.hostname} because it doesn't contain any IP SANs`;
  const names = [...words.matchAll(/(?:DNS|IP Address):([^\s,]+)/g)].map((match) => match[1]);
  return `${failed} certificate is valid for ${clean(names.join(', ')) || 'no names'}, not ${url.hostname}`;
}
