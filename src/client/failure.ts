import { errnoCode, WharfError } from '../base/index.ts';
import type { Endpoint } from './address.ts';

/** What a request was, for the text of its failure. */
export interface Asked {
  method: string;
  path: string;
}

const ABSENT = new Set([
  'ENOENT',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'ENOTSOCK',
  'ENOTDIR',
]);

const LOST = new Set(['ECONNRESET', 'EPIPE']);

const UNTRUSTED = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
]);

/** A request that got no answer, as an error for the user. Texts are those of Docker's client, but for the engine's name. */
export function requestFailure(endpoint: Endpoint, asked: Asked, thrown: unknown): WharfError {
  if (thrown instanceof WharfError) return thrown;
  const code = errnoCode(thrown) ?? '';
  const { address } = endpoint;
  if (code === 'EACCES' || code === 'EPERM') {
    return new WharfError(
      'unavailable',
      `permission denied while trying to connect to the engine at ${address}: add yourself to its group, or run as root`,
      { cause: thrown },
    );
  }
  if (ABSENT.has(code)) {
    return new WharfError(
      'unavailable',
      `Cannot connect to the Wharf daemon at ${address}. Is wharfd running?`,
      { cause: thrown },
    );
  }
  const reason = connectionReason(endpoint, thrown, code);
  if (reason === undefined) return WharfError.from(thrown, 'unavailable');
  return new WharfError('unavailable', `error during connect: ${requestName(endpoint, asked)}: ${reason}`, {
    cause: thrown,
  });
}

/** The request in the words of a Go URL error: `Get "http://host:port/path"`. */
function requestName(endpoint: Endpoint, { method, path }: Asked): string {
  const verb = `${method.slice(0, 1)}${method.slice(1).toLowerCase()}`;
  const host = endpoint.host?.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  const where =
    endpoint.socketPath === undefined ? `${host}:${endpoint.port}` : encodeURIComponent(endpoint.socketPath);
  return `${verb} "${endpoint.tls ? 'https' : 'http'}://${where}${path}"`;
}

function connectionReason(endpoint: Endpoint, thrown: unknown, code: string): string | undefined {
  if (LOST.has(code)) return 'EOF';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `dial tcp: lookup ${endpoint.host}: ${code === 'ENOTFOUND' ? 'no such host' : 'Temporary failure in name resolution'}`;
  if (UNTRUSTED.has(code))
    return 'tls: failed to verify certificate: x509: certificate signed by unknown authority';
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `tls: failed to verify certificate: x509: certificate is not valid for ${endpoint.host}`;
  const message = thrown instanceof Error ? thrown.message : '';
  if (!/^(?:ERR_SSL_|ERR_OSSL_)/.test(code) && code !== 'EPROTO') return undefined;
  const alert = /\balert ([a-z ]+?)(?::|$)/.exec(message)?.[1];
  if (alert !== undefined) return `remote error: tls: ${alert}`;
  if (/wrong version number|packet length too long|http request/.test(message))
    return 'http: server gave HTTP response to HTTPS client';
  return `tls: ${/SSL routines:[^:]*:([^:]+)/.exec(message)?.[1] ?? 'handshake failure'}`;
}

/** True when the engine went away in the middle of an answer or of a hijacked connection. */
export function isConnectionLost(thrown: unknown): boolean {
  if (thrown instanceof WharfError) return false;
  const code = errnoCode(thrown) ?? '';
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}
