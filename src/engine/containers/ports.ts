import { isIP } from 'node:net';
import type { PortMap } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';

/** A container port: `80/tcp` parsed. */
export interface ContainerPort {
  port: number;
  protocol: string;
}

const PROTOCOLS = new Set(['tcp', 'udp', 'sctp']);

function malformed(text: string): never {
  throw new WharfError('invalid', `invalid port specification: "${text}"`);
}

/** `80` or `80/udp`; the protocol is tcp when it is left out. Undefined when malformed. */
export function parseContainerPort(text: string): ContainerPort | undefined {
  const [number = '', protocol = 'tcp', ...rest] = text.split('/');
  const port = parsePortNumber(number);
  const lower = protocol.toLowerCase() || 'tcp';
  if (port === undefined || rest.length > 0 || !PROTOCOLS.has(lower)) return undefined;
  return { port, protocol: lower };
}

/** 0–65535, or undefined. */
export function parsePortNumber(text: string): number | undefined {
  if (!/^\d{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65535 ? port : undefined;
}

/** First and last port of `80` or `80-90`; both 0 for an empty text. Undefined when malformed. */
export function parsePortRange(text: string): { first: number; last: number } | undefined {
  if (text === '') return { first: 0, last: 0 };
  const [start = '', end = start, ...rest] = text.split('-');
  const first = parsePortNumber(start);
  const last = parsePortNumber(end);
  if (first === undefined || last === undefined || last < first || rest.length > 0) return undefined;
  return { first, last };
}

/** `PortBindings` with keys in the form `80/tcp`, each binding checked. Errors: `invalid`, with Docker's text. */
export function normalizePortBindings(bindings: PortMap | undefined): PortMap {
  const normal: PortMap = {};
  for (const [key, values] of Object.entries(bindings ?? {})) {
    const port =
      parseContainerPort(key) ??
      malformed(PROTOCOLS.has(key.split('/')[1] ?? 'tcp') ? (key.split('/')[0] as string) : key);
    const checked = (values ?? []).map((binding) => {
      const { HostIp = '', HostPort = '' } = binding ?? {};
      if (!parsePortRange(HostPort)) malformed(HostPort);
      if (HostIp !== '' && isIP(HostIp.replace(/^\[(.*)\]$/, '$1')) === 0) {
        throw new WharfError('invalid', `invalid IP address in port binding: "${HostIp}"`);
      }
      return { HostIp, HostPort };
    });
    const name = `${port.port}/${port.protocol}`;
    normal[name] = [...(normal[name] ?? []), ...checked];
  }
  return normal;
}

/** `ExposedPorts` with ranges spread and protocols added: `80-81` gives `80/tcp` and `81/tcp`. Malformed ones are refused. */
export function normalizeExposedPorts(
  ports: Record<string, unknown> | null | undefined,
): Record<string, Record<string, unknown>> {
  const normal: Record<string, Record<string, unknown>> = {};
  for (const key of Object.keys(ports ?? {})) {
    const [numbers = '', protocol = 'tcp'] = key.split('/');
    const range = numbers === '' ? undefined : parsePortRange(numbers);
    if (!range || !PROTOCOLS.has(protocol.toLowerCase())) malformed(key);
    for (let port = range.first; port <= range.last; port += 1)
      normal[`${port}/${protocol.toLowerCase()}`] = {};
  }
  return normal;
}
