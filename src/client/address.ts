import { WharfError } from '../base/index.ts';

/** Certificates of a TLS connection, as PEM. */
export interface TlsMaterial {
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
  /** Whether the engine's certificate must be trusted. */
  verify: boolean;
}

/** Where an engine listens. */
export interface Endpoint {
  /** The address as the user gave it, for messages. */
  readonly address: string;
  readonly socketPath?: string;
  readonly host?: string;
  readonly port?: number;
  readonly tls?: TlsMaterial;
}

/** Reads `unix:///path`, `tcp://host:port`, `http(s)://…` or a bare `host:port`. Throws `invalid` otherwise. */
export function parseAddress(address: string, tls?: TlsMaterial): Endpoint {
  const match = /^([a-z]+):\/\/(.*)$/.exec(address);
  const [scheme, rest] = match ? [match[1], match[2] ?? ''] : ['tcp', address];
  if (scheme === 'unix') {
    if (rest === '') throw invalid(address);
    return { address, socketPath: rest };
  }
  if (scheme !== 'tcp' && scheme !== 'http' && scheme !== 'https') throw invalid(address);
  const url = URL.parse(`http://${rest === '' ? 'localhost' : rest}`);
  if (!url) throw invalid(address);
  const secure = tls !== undefined || scheme === 'https';
  return {
    address: match ? address : `tcp://${address}`,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (/:80(?:\/|$)/.test(rest) ? 80 : secure ? 2376 : 2375) : Number(url.port),
    ...(secure ? { tls: tls ?? { verify: true } } : {}),
  };
}

function invalid(address: string): WharfError {
  return new WharfError(
    'invalid',
    `unable to resolve docker endpoint: invalid bind address format: ${address}`,
  );
}
