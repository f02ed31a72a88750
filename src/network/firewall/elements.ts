import { isIPv6, SocketAddress } from 'node:net';
import { WharfError } from '../../base/index.ts';
import type { NftObject } from '../kernel.ts';
import { SETS, type SetName } from './ruleset.ts';
import type { BridgeRules, FamilyRules, FirewallState, PortTarget } from './types.ts';

/** One element of a set or map, its parts written as nft lists them. */
export interface Element {
  set: SetName;
  key: readonly string[];
  value?: readonly string[];
}

/** Elements by set and key. */
export type Elements = Map<string, Element>;

/** The elements that stand for networks and ports. Errors: `invalid` for an interface name that nft could read as more than a name. */
export function elementsOf(state: Partial<FirewallState>): Elements {
  const elements: Elements = new Map();
  const put = (set: SetName, key: string[], value?: string[]) =>
    void elements.set(keyOf({ set, key }), { set, key, ...(value && { value }) });
  for (const bridge of state.bridges ?? []) putBridge(bridge, put);
  for (const port of state.ports ?? []) putPort(port, put);
  return elements;
}

type Put = (set: SetName, key: string[], value?: string[]) => void;

function putBridge(rules: BridgeRules, put: Put): void {
  const bridge = interfaceName(rules.bridge);
  put('bridges', [bridge]);
  if (rules.internal) put('internal', [bridge]);
  // Frames between containers pass here, too, where the host has `bridge-nf-call-iptables` on.
  if (rules.icc !== false) put('pairs', [bridge, bridge]);
  if (!rules.internal)
    for (const trusted of rules.trustedInterfaces) put('pairs', [interfaceName(trusted), bridge]);
  if (rules.ipv4) putFamily(rules, 4, rules.ipv4, put);
  if (rules.ipv6) putFamily(rules, 6, rules.ipv6, put);
}

function putFamily({ bridge, internal }: BridgeRules, family: 4 | 6, rules: FamilyRules, put: Put): void {
  const protocol = `ipv${family}`;
  const { mode } = rules;
  const hidden = rules.masquerade && !internal && (mode === 'nat' || mode === 'nat-unprotected');
  for (const subnet of rules.subnets.map(address)) {
    put(`inside${family}`, [bridge, subnet]);
    if (hidden) put(`masquerade${family}`, [protocol, subnet]);
  }
  if (mode === 'isolated') put('isolated', [protocol, bridge]);
  if (mode === 'routed') put('routed', [protocol, bridge]);
  if (mode === 'nat-unprotected') put('unprotected', [protocol, bridge]);
}

function putPort(port: PortTarget, put: Put): void {
  const family = isIPv6(port.hostIp) ? 6 : 4;
  const containerIp = address(port.containerIp);
  const containerPort = String(port.containerPort);
  if (port.mode === 'routed') {
    put(`open-ports${family}`, [containerIp, port.protocol, containerPort]);
    return;
  }
  const service = [port.protocol, String(port.hostPort)];
  const hostIp = address(port.hostIp);
  if (hostIp === '0.0.0.0' || hostIp === '::')
    put(`published-any${family}`, service, [containerIp, containerPort]);
  else put(`published${family}`, [hostIp, ...service], [containerIp, containerPort]);
}

/** An address or subnet in the spelling of nft. */
function address(text: string): string {
  const [ip = '', prefix] = text.split('/');
  if (!isIPv6(ip)) return prefix === '32' ? ip : text;
  const short = new SocketAddress({ address: ip, family: 'ipv6' }).address;
  return prefix === undefined || prefix === '128' ? short : `${short}/${prefix}`;
}

/** nft has a wildcard and quotes in names, and names come from users. */
function interfaceName(name: string): string {
  if (!/^[\w.:@+=-]{1,15}$/.test(name))
    throw new WharfError('invalid', `${JSON.stringify(name)} cannot be the name of a network interface`);
  return name;
}

/** Commands for some elements, in the form that costs the same however many there are already. Nothing to do makes no commands. */
export function elementCommands(verb: 'add' | 'delete', table: string, elements: Elements): string {
  const bySet = new Map<SetName, string[]>();
  for (const element of elements.values()) {
    const entries = bySet.get(element.set) ?? [];
    if (entries.length === 0) bySet.set(element.set, entries);
    entries.push(entryOf(element));
  }
  let script = '';
  for (const [set, entries] of bySet)
    script += `${verb} element inet ${table} ${set} { ${entries.join(', ')} }\n`;
  return script;
}

function entryOf({ set, key, value }: Element): string {
  const { key: types } = SETS[set];
  const written = key.map((part, at) => (types[at] === 'ifname' ? `"${part}"` : part)).join(' . ');
  return value ? `${written} : ${value.join(' . ')}` : written;
}

/** How an element is told in sentences: `published4: 192.0.2.1 . tcp . 80 → 10.0.0.2 . 80`. */
export function elementText(element: Element): string {
  return keyOf(element) + (element.value ? ` → ${element.value.join(' . ')}` : '');
}

function keyOf({ set, key }: Pick<Element, 'set' | 'key'>): string {
  return `${set}: ${key.join(' . ')}`;
}

/** The elements of our sets and maps in nft's JSON (libnftables-json(5)): values of maps come in pairs with their keys. */
export function listedElements(objects: readonly NftObject[]): string[] {
  return objects.flatMap(({ set, map }) => {
    const { name, elem } = set ?? map ?? {};
    if (!isSetName(name) || !Array.isArray(elem)) return [];
    return elem.map((entry: unknown) => {
      const [key, value] = map && Array.isArray(entry) ? entry : [entry];
      return elementText({ set: name, key: parts(key), ...(value !== undefined && { value: parts(value) }) });
    });
  });
}

function isSetName(name: unknown): name is SetName {
  return typeof name === 'string' && Object.hasOwn(SETS, name);
}

interface Prefix {
  prefix: { addr: string; len: number };
}

function parts(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [String(value)];
  if ('concat' in value && Array.isArray(value.concat)) return value.concat.flatMap(parts);
  if (!('prefix' in value)) return [JSON.stringify(value)];
  const { addr, len } = (value as Prefix).prefix;
  return [`${addr}/${len}`];
}
