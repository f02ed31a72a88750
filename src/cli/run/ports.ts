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
    for (const [port, binding] of value.includes('=') ? longForm(value) : shortForm(value)) {
      exposed[port] = {};
      bindings[port] = [...(bindings[port] ?? []), binding];
    }
  }
  return { exposed, bindings };
}

function shortForm(raw: string): [string, Binding][] {
  const slash = raw.indexOf('/');
  const protocol = slash < 0 ? 'tcp' : raw.slice(slash + 1).toLowerCase() || 'tcp';
  const body = slash < 0 ? raw : raw.slice(0, slash);
  const parts = /^(?:(?:\[([^\]]*)\]|([^:[]*|[^[]*:[^[]*)):)?(?:([^:]*):)?([^:]*)$/.exec(body);
  const [address, host, container] = split(body, parts);
  if (container === '') throw new Error(`no port specified: ${raw}<empty>`);
  const [from, to] = range(container, () => new Error(`invalid containerPort: ${container}`));
  const hosts = host === '' ? undefined : range(host, () => new Error(`invalid hostPort: ${host}`));
  if (!['tcp', 'udp', 'sctp'].includes(protocol)) throw new Error(`invalid proto: ${protocol}`);
  if (address !== '' && !/^[0-9.]+$|:/.test(address)) throw new Error(`invalid IP address: ${address}`);
  const many = hosts && hosts[1] - hosts[0] !== to - from;
  if (hosts && many && from !== to)
    throw new Error(`invalid ranges specified for container and host Ports: ${container} and ${host}`);
  const out: [string, Binding][] = [];
  for (let port = from; port <= to; port++) {
    const chosen = hosts ? (many ? `${hosts[0]}-${hosts[1]}` : String(hosts[0] + port - from)) : '';
    out.push([`${port}/${protocol}`, { HostIp: address, HostPort: chosen }]);
  }
  return out;
}

function split(body: string, parts: RegExpExecArray | null): [string, string, string] {
  const pieces = body.split(':');
  if (parts?.[1] !== undefined) return [parts[1], parts[3] ?? '', parts[4] ?? ''];
  const container = pieces.at(-1) ?? '';
  if (pieces.length === 1) return ['', '', container];
  if (pieces.length === 2) return ['', pieces[0] ?? '', container];
  return [pieces.slice(0, -2).join(':'), pieces.at(-2) ?? '', container];
}

function range(text: string, error: () => Error): [number, number] {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (!match || from > 65535 || to > 65535 || to < from) throw error();
  return [from, to];
}

function longForm(raw: string): [string, Binding][] {
  let [target, published, protocol] = [0, '', 'tcp'];
  for (const part of raw.split(',')) {
    const [key = '', value = ''] = part.split('=');
    if (key === 'target') target = Number(value);
    else if (key === 'published') published = value;
    else if (key === 'protocol') protocol = value;
    else if (key !== 'mode' && key !== 'name') throw new Error(`invalid field key ${key}`);
  }
  if (!Number.isInteger(target) || target <= 0)
    throw new Error(`invalid publish opts format (should be name=value but got '${raw}')`);
  return [[`${target}/${protocol}`, { HostIp: '', HostPort: published }]];
}

/** Reads `--expose` values. Throws Error with Docker's text. */
export function parseExpose(values: readonly string[]): Record<string, object> {
  const out: Record<string, object> = {};
  for (const value of values) {
    if (value.includes(':')) throw new Error(`invalid port format for --expose: ${value}`);
    const [ports = '', protocol = 'tcp'] = value.split('/');
    const [from, to] = range(
      ports,
      () =>
        new Error(
          `invalid range format for --expose: ${value}, error: invalid port specification: ${JSON.stringify(ports)}`,
        ),
    );
    for (let port = from; port <= to; port++) out[`${port}/${protocol}`] = {};
  }
  return out;
}
