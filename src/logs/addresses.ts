import { existsSync } from 'node:fs';
import { WharfError } from '../base/index.ts';
import type { DatagramTarget } from './sinks/datagram-connection.ts';
import type { StreamTarget } from './sinks/stream-connection.ts';

/** An address of a log option, taken apart as Go's `url.Parse` does. */
interface Parts {
  scheme: string;
  /** `host:port` as it is written. */
  authority: string;
  host: string;
  port: string;
  path: string;
}

function refusal(text: string): WharfError {
  return new WharfError('invalid', text);
}

function parts(address: string): Parts {
  const match = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):\/\/)?([^/]*)(\/.*)?$/s.exec(address);
  const [, scheme = '', authority = '', path = ''] = match ?? [];
  const wrong = (why: string) => refusal(`parse ${JSON.stringify(address)}: ${why}`);
  if (scheme === '') {
    if (authority.includes(':')) throw wrong('first path segment in URL cannot contain colon');
    return { scheme, authority: '', host: '', port: '', path: address };
  }
  if (authority.startsWith('[') && !authority.includes(']')) throw wrong("missing ']' in host");
  const [, host = '', port = ''] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(authority) ?? [];
  if (!/^\d*$/.test(port)) throw wrong(`invalid port ${JSON.stringify(`:${port}`)} after host`);
  return { scheme: scheme.toLowerCase(), authority, host: host.replace(/^\[|\]$/g, ''), port, path };
}

/** Where syslog messages go; `local` without an address. */
export type SyslogTarget = StreamTarget | DatagramTarget | 'local';

const SYSLOG_PORT = 514;

/** Reads `syslog-address`. Errors: `invalid` with the reference's text. */
export function syslogTarget(address: string): SyslogTarget {
  if (address === '') return 'local';
  const { scheme, host, port, path } = parts(address);
  const at = { host: host || 'localhost', port: Number(port || SYSLOG_PORT), path: '' };
  switch (scheme) {
    case 'udp':
      return { network: 'udp', ...at };
    case 'tcp':
      return { network: 'tcp', ...at };
    case 'tcp+tls':
      return { network: 'tls', ...at };
    case 'unix':
    case 'unixgram':
      if (!existsSync(path)) throw refusal(`stat ${path}: no such file or directory`);
      return { network: scheme, host: '', port: 0, path };
    default:
      throw refusal(`unsupported scheme: '${scheme}'`);
  }
}

const FLUENTD_PORT = 24_224;

/** Reads `fluentd-address`. Errors: `invalid` with the reference's text. */
export function fluentdTarget(address: string): StreamTarget {
  const wrong = (why: string) => refusal(`invalid fluentd-address (${address}): ${why}`);
  const at = { host: '127.0.0.1', port: FLUENTD_PORT, path: '' };
  if (address === '') return { network: 'tcp', ...at };
  let parsed: Parts;
  try {
    parsed = parts(address.includes('://') ? address : `tcp://${address}`);
  } catch (thrown) {
    throw wrong((thrown as Error).message);
  }
  const { scheme, host, port, path } = parsed;
  if (scheme === 'unix') {
    if (path === '') throw wrong('path is empty');
    return { network: 'unix', host: '', port: 0, path };
  }
  if (scheme !== 'tcp' && scheme !== 'tls') throw wrong(`unsupported scheme: '${scheme}'`);
  if (path !== '') throw wrong('should not contain a path element');
  if (Number(port) > 65_535) {
    throw wrong(`invalid port: strconv.ParseUint: parsing ${JSON.stringify(port)}: value out of range`);
  }
  return { network: scheme, host: host || at.host, port: port === '' ? at.port : Number(port), path: '' };
}

/** Reads `gelf-address`. Errors: `invalid` with the reference's text. */
export function gelfTarget(address: string): (StreamTarget & { network: 'tcp' }) | DatagramTarget {
  if (address === '') throw refusal('gelf-address is a required parameter');
  const { scheme, host, port } = parts(address);
  if (scheme !== 'udp' && scheme !== 'tcp') throw refusal('gelf: endpoint needs to be TCP or UDP');
  if (host === '' || port === '') throw refusal('gelf: please provide gelf-address as proto://host:port');
  return { network: scheme, host, port: Number(port), path: '' } as ReturnType<typeof gelfTarget>;
}
