import { isIP } from 'node:net';

/** One address on the host for a port. */
export interface Binding {
  HostIp: string;
  HostPort: string;
}

/** Reads `--publish` values to what is exposed and bound. Throws Error with Docker's text. */
export function parsePublish(values: readonly string[]): {
  exposed: Record<string, object>;
  bindings: Record<string, Binding[]>;
} {
  const exposed: Record<string, object> = {};
  const bindings: Record<string, Binding[]> = {};
  for (const value of values) {
    for (const [port, binding] of parseSpec(value.includes('=') ? shortForm(value) : value)) {
      exposed[port] = {};
      bindings[port] = [...(bindings[port] ?? []), binding];
    }
  }
  return { exposed, bindings };
}

/** `target=80,published=8080,protocol=tcp` as `8080:80/tcp`; other keys are left for orchestrators. */
function shortForm(long: string): string {
  const fields: Record<string, string> = { published: '', target: '', protocol: 'tcp' };
  for (const part of long.split(',')) {
    const at = part.indexOf('=');
    if (at < 1) throw new Error(`invalid publish opts format (should be name=value but got '${part}')`);
    fields[part.slice(0, at)] = part.slice(at + 1);
  }
  return `${fields['published']}:${fields['target']}/${fields['protocol']}`;
}

/** `[[address:]host:]container[/protocol]`, with ranges. */
function parseSpec(raw: string): [string, Binding][] {
  const pieces = raw.split(':');
  const [protocol, container] = splitProtocol(pieces.at(-1) ?? '');
  const host = pieces.at(-2) ?? '';
  if (container === '') throw new Error(`no port specified: ${raw}<empty>`);
  if (!['tcp', 'udp', 'sctp'].includes(protocol.toLowerCase()))
    throw new Error(`invalid proto: ${protocol.toLowerCase()}`);
  const address = hostAddress(pieces.slice(0, -2).join(':'));
  const [from, to] = rangeOr(container, `invalid containerPort: ${container}`);
  const hosts = host === '' ? undefined : rangeOr(host, `invalid hostPort: ${host}`);
  const uneven = hosts !== undefined && hosts[1] - hosts[0] !== to - from;
  if (uneven && from !== to)
    throw new Error(`invalid ranges specified for container and host Ports: ${container} and ${host}`);
  const out: [string, Binding][] = [];
  for (let port = from; port <= to; port++) {
    const chosen = hosts ? (uneven ? `${hosts[0]}-${hosts[1]}` : String(hosts[0] + port - from)) : '';
    out.push([`${port}/${protocol.toLowerCase()}`, { HostIp: address, HostPort: chosen }]);
  }
  return out;
}

/** An address, without the brackets that it may have. */
function hostAddress(text: string): string {
  if (text.startsWith('[') && !/^\[[^\]]*\]$/.test(text))
    throw new Error(`invalid IP address ${text}: address ${text}:: missing ']' in address`);
  const address = text.startsWith('[') ? text.slice(1, -1) : text;
  if (address !== '' && (isIP(address) === 0 || address.includes('%')))
    throw new Error(`invalid IP address: ${address}`);
  return address;
}

function splitProtocol(text: string): [string, string] {
  const [port = '', protocol = ''] = text.split('/');
  return [port === '' ? '' : protocol || 'tcp', port];
}

function rangeOr(text: string, message: string): [number, number] {
  try {
    return portRange(text);
  } catch {
    throw new Error(message);
  }
}

/** `80` or `80-90`. */
function portRange(text: string): [number, number] {
  if (text === '') throw new Error('empty string specified for ports');
  const [from = 0, to = from] = text.split('-').slice(0, 2).map(parsePort);
  if (to < from) throw new Error(`invalid range specified for port: ${text}`);
  return [from, to];
}

/** Reads a port, a number of 16 bits. Throws Error with Go's text. */
export function parsePort(text: string): number {
  const failed = (why: string) => new Error(`strconv.ParseUint: parsing ${JSON.stringify(text)}: ${why}`);
  if (!/^\d+$/.test(text)) throw failed('invalid syntax');
  if (Number(text) > 65535) throw failed('value out of range');
  return Number(text);
}

/** Reads `--expose` values. Throws Error with Docker's text. */
export function parseExpose(values: readonly string[]): Record<string, object> {
  const out: Record<string, object> = {};
  for (const value of values) {
    if (value.includes(':')) throw new Error(`invalid port format for --expose: ${value}`);
    const [protocol, ports] = splitProtocol(value);
    for (let [port, to] = exposedRange(value, ports); port <= to; port++) out[`${port}/${protocol}`] = {};
  }
  return out;
}

function exposedRange(value: string, ports: string): [number, number] {
  try {
    return portRange(ports);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Error(`invalid range format for --expose: ${value}, error: ${why}`);
  }
}
