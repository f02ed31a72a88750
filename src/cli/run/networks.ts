import type { ParsedFlags } from '../flags.ts';
import { toMap } from './env-file.ts';
import { csvFields } from './mounts.ts';

interface Attachment {
  name: string;
  endpoint: Record<string, unknown>;
}

/** Reads one `--network`, in its short or long form. */
function parseNetwork(text: string): Attachment {
  if (!/^[a-z0-9-]+=|,/.test(text)) return { name: text, endpoint: {} };
  const out: Attachment = { name: '', endpoint: {} };
  const ipam: Record<string, unknown> = {};
  const options: string[] = [];
  for (const field of csvFields(text)) {
    const at = field.indexOf('=');
    if (at < 0) throw new Error(`invalid field ${field}`);
    const [key, value] = [field.slice(0, at).trim().toLowerCase(), field.slice(at + 1).trim()];
    if (key === 'name') out.name = value;
    else if (key === 'alias')
      out.endpoint['Aliases'] = [...((out.endpoint['Aliases'] as string[]) ?? []), value];
    else if (key === 'ip') ipam['IPv4Address'] = value;
    else if (key === 'ip6') ipam['IPv6Address'] = value;
    else if (key === 'mac-address') out.endpoint['MacAddress'] = value;
    else if (key === 'link-local-ip')
      ipam['LinkLocalIPs'] = [...((ipam['LinkLocalIPs'] as string[]) ?? []), value];
    else if (key === 'driver-opt') options.push(value);
    else if (key === 'gw-priority') out.endpoint['GwPriority'] = Number(value);
    else throw new Error(`invalid field key ${key}`);
  }
  if (options.length > 0) out.endpoint['DriverOpts'] = toMap(options);
  if (Object.keys(ipam).length > 0) out.endpoint['IPAMConfig'] = ipam;
  return out;
}

/** The network mode and the endpoints that the flags ask for. Throws Error with Docker's text. */
export function networking(flags: ParsedFlags): { mode: string; endpoints: Record<string, unknown> } {
  const given = [...flags.list('network'), ...flags.list('net')];
  const attachments = given.length > 0 ? given.map(parseNetwork) : [{ name: 'default', endpoint: {} }];
  const [first] = attachments;
  if (!first || attachments.some((each) => each.name === '')) throw new Error('no name set for network');
  addFlags(flags, first);
  const user = (name: string) =>
    !['default', 'bridge', 'host', 'none'].includes(name) && !name.startsWith('container:');
  if (
    attachments.length > 1 &&
    attachments.some((each) => !user(each.name) && each.name !== 'bridge' && each.name !== 'default')
  ) {
    throw new Error(
      'conflicting options: cannot attach both user-defined and non-user-defined network-modes',
    );
  }
  const endpoints: Record<string, unknown> = {};
  for (const { name, endpoint } of attachments) {
    if (Object.hasOwn(endpoints, name))
      throw new Error(`network ${JSON.stringify(name)} is specified multiple times`);
    if (Object.keys(endpoint).length > 0 || attachments.length > 1 || user(name)) endpoints[name] = endpoint;
  }
  return { mode: first.name, endpoints };
}

function addFlags(flags: ParsedFlags, first: Attachment): void {
  const aliases = [...flags.list('network-alias'), ...flags.list('net-alias')];
  if (aliases.length > 0) {
    if (first.endpoint['Aliases'])
      throw new Error('conflicting options: cannot specify both --network-alias and per-network alias');
    first.endpoint['Aliases'] = aliases;
  }
  const links = flags.list('link');
  if (links.length > 0 && first.name !== 'default' && first.name !== 'bridge')
    first.endpoint['Links'] = links;
  const ipam: Record<string, unknown> = {
    ...(first.endpoint['IPAMConfig'] as object),
    ...(flags.changed('ip') ? { IPv4Address: flags.string('ip') } : {}),
    ...(flags.changed('ip6') ? { IPv6Address: flags.string('ip6') } : {}),
    ...(flags.changed('link-local-ip') ? { LinkLocalIPs: flags.list('link-local-ip') } : {}),
  };
  if (Object.keys(ipam).length > 0) first.endpoint['IPAMConfig'] = ipam;
  if (flags.changed('mac-address')) first.endpoint['MacAddress'] = flags.string('mac-address');
}
