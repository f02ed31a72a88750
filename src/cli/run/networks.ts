import type { ParsedFlags } from '../flags.ts';
import { csvFields } from './mounts.ts';

/** What `--network`, and the flags for the first network, say of a container's place on it. */
interface Attachment {
  name: string;
  aliases: string[];
  links: string[];
  linkLocal: string[];
  driverOptions: Record<string, string>;
  ipv4: string;
  ipv6: string;
  mac: string;
  gwPriority: number;
}

const attachment = (name: string): Attachment => ({
  name,
  aliases: [],
  links: [],
  linkLocal: [],
  driverOptions: {},
  ipv4: '',
  ipv6: '',
  mac: '',
  gwPriority: 0,
});

/** What each key of the long form sets. */
const FIELDS: Readonly<Record<string, (to: Attachment, value: string) => void>> = {
  name: (to, value) => {
    to.name = value;
  },
  alias: (to, value) => to.aliases.push(value),
  'driver-opt': (to, value) => {
    const [key, text] = driverOption(value, 'key value');
    to.driverOptions[key] = text;
  },
  ip: (to, value) => {
    to.ipv4 = value;
  },
  ip6: (to, value) => {
    to.ipv6 = value;
  },
  'mac-address': (to, value) => {
    to.mac = value;
  },
  'link-local-ip': (to, value) => to.linkLocal.push(value),
  'gw-priority': (to, value) => {
    const size = Number(value);
    if (!/^[+-]?\d+$/.test(value)) throw new Error(`invalid gw-priority (${value}): invalid syntax`);
    if (!Number.isSafeInteger(size)) throw new Error(`invalid gw-priority (${value}): value out of range`);
    to.gwPriority = size;
  },
};

/** Reads `key=value`. `pair` is how the error names it. Throws Error with Docker's text. */
export function driverOption(text: string, pair: 'key value' | 'key/value'): [string, string] {
  const at = text.indexOf('=');
  const key = text.slice(0, Math.max(at, 0)).trim();
  if (key === '') throw new Error(`invalid ${pair} pair format in driver options`);
  return [key, text.slice(at + 1).trim()];
}

/** Reads one `--network`, in its short or long form. */
function parseNetwork(text: string): Attachment {
  if (!/\w=\w/.test(text)) return attachment(text);
  const out = attachment('');
  for (const field of csvFields(text)) {
    const at = field.indexOf('=');
    if (at < 1) throw new Error(`invalid field ${field}`);
    const key = field.slice(0, at).trim().toLowerCase();
    const set = FIELDS[key];
    if (!set) throw new Error(`invalid field key ${key}`);
    set(out, field.slice(at + 1).trim());
  }
  if (out.name === '') throw new Error('network name/id is not specified');
  return out;
}

/** Refuses a bad `--network`; the text itself stays. */
export function checkNetwork(text: string): string {
  parseNetwork(text);
  return text;
}

const isUserDefined = (name: string): boolean =>
  !['default', 'bridge', 'host', 'none'].includes(name) && !name.startsWith('container:');

/** The network mode and the endpoints that the flags ask for. Throws Error with Docker's text. */
export function networking(flags: ParsedFlags): { mode: string; endpoints: Record<string, unknown> } {
  const given = flags.list('network').map(parseNetwork);
  const all = given.length > 0 ? given : [attachment('default')];
  const [first] = all;
  if (first) applyFlags(flags, first);
  const endpoints: Record<string, unknown> = {};
  for (const each of all) {
    const endpoint = endpointOf(each);
    if (Object.hasOwn(endpoints, each.name))
      throw new Error(`network ${JSON.stringify(each.name)} is specified multiple times`);
    // Alone and without options it is left to the engine, which makes it of the mode.
    if (given.length !== 1 || Object.keys(endpoint).length > 0) endpoints[each.name] = endpoint;
  }
  if (new Set(given.map((each) => isUserDefined(each.name))).size > 1)
    throw new Error(
      'conflicting options: cannot attach both user-defined and non-user-defined network-modes',
    );
  return { mode: first?.name ?? 'default', endpoints };
}

/** The flags that stand for options of the first network. */
function applyFlags(flags: ParsedFlags, first: Attachment): void {
  const conflict = (flag: string, set: boolean, what: string) => {
    if (set && flags.changed(flag))
      throw new Error(`conflicting options: cannot specify both --${flag} and per-network ${what}`);
  };
  conflict('network-alias', first.aliases.length > 0, 'alias');
  conflict('ip', first.ipv4 !== '', 'IPv4 address');
  conflict('ip6', first.ipv6 !== '', 'IPv6 address');
  conflict('mac-address', first.mac !== '', 'MAC address');
  conflict('link-local-ip', first.linkLocal.length > 0, 'link-local IP addresses');
  first.aliases.push(...flags.list('network-alias'));
  first.linkLocal.push(...flags.list('link-local-ip'));
  first.ipv4 ||= flags.string('ip');
  first.ipv6 ||= flags.string('ip6');
  first.mac ||= flags.string('mac-address');
  // On the default bridge a link is an option of the container, not of its endpoint.
  if (isUserDefined(first.name)) first.links.push(...flags.list('link'));
}

const MAC =
  /^[0-9a-f]{2}(?:([:-])[0-9a-f]{2}(?:\1[0-9a-f]{2}){4}(?:(?:\1[0-9a-f]{2}){2}|(?:\1[0-9a-f]{2}){14})?)$/i;
const DOTTED_MAC = /^[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}(?:\.[0-9a-f]{4}|(?:\.[0-9a-f]{4}){7})?$/i;

function endpointOf(from: Attachment): Record<string, unknown> {
  if (from.name.trim() === '') throw new Error('no name set for network');
  if (!isUserDefined(from.name) && from.aliases.length > 0)
    throw new Error('network-scoped aliases are only supported for user-defined networks');
  if (from.mac !== '' && !MAC.test(from.mac.trim()) && !DOTTED_MAC.test(from.mac.trim()))
    throw new Error(`${from.mac} is not a valid mac address`);
  const addresses = {
    ...(from.ipv4 === '' ? {} : { IPv4Address: from.ipv4 }),
    ...(from.ipv6 === '' ? {} : { IPv6Address: from.ipv6 }),
    ...(from.linkLocal.length === 0 ? {} : { LinkLocalIPs: from.linkLocal }),
  };
  return {
    ...(Object.keys(addresses).length === 0 ? {} : { IPAMConfig: addresses }),
    ...(from.links.length === 0 ? {} : { Links: from.links }),
    ...(from.aliases.length === 0 ? {} : { Aliases: from.aliases }),
    ...(Object.keys(from.driverOptions).length === 0 ? {} : { DriverOpts: from.driverOptions }),
    ...(from.mac === '' ? {} : { MacAddress: from.mac }),
    ...(from.gwPriority === 0 ? {} : { GwPriority: from.gwPriority }),
  };
}
