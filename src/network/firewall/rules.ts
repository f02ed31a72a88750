import { createHash } from 'node:crypto';
import type { PublishedPort } from '../types.ts';

/** What the rules of one bridge are made from. */
export interface BridgeRules {
  bridge: string;
  subnet: string;
}

/** A published port with the container's address behind it. */
export interface PortTarget extends PublishedPort {
  containerIp: string;
}

/** The maps: ports published on every host address, and on one. */
export const ANY_MAP = 'published-any';
export const ADDRESS_MAP = 'published';

const TO_ADDRESS = `dnat ip to ip daddr . meta l4proto . th dport map @${ADDRESS_MAP}`;
const TO_ANY = `fib daddr type local dnat ip to meta l4proto . th dport map @${ANY_MAP}`;

/** One line of an nft map: key and value; undefined for mappings that exist on paper only (IPv6 wildcard). */
export function portElement(port: PortTarget): { map: string; key: string; value: string } | undefined {
  if (port.hostIp.includes(':')) return undefined;
  const service = `${port.protocol} . ${port.hostPort}`;
  const value = `${port.containerIp} . ${port.containerPort}`;
  if (port.hostIp === '0.0.0.0') return { map: ANY_MAP, key: service, value };
  return { map: ADDRESS_MAP, key: `${port.hostIp} . ${service}`, value };
}

/** Commands that add or delete the elements of some ports; empty when there are none. Constant work a port. */
export function portCommands(verb: 'add' | 'delete', table: string, ports: readonly PortTarget[]): string {
  let script = '';
  for (const port of ports) {
    const element = portElement(port);
    if (!element) continue;
    const entry = verb === 'add' ? `${element.key} : ${element.value}` : element.key;
    script += `${verb} element ip ${table} ${element.map} { ${entry} }\n`;
  }
  return script;
}

/**
 * The chains. `guard` runs before routing: nothing from a bridge may name a loopback address, as sender or receiver,
 * which `route_localnet` would let in. `prerouting` gives a published loopback address to nobody outside. `forward` lets in what a publication
 * or the bridge itself sends, and answers; neither other bridges nor direct routing reach a port that is not published.
 * `postrouting` hides containers outward, and hides the sender where an answer would otherwise miss the way back
 * (loopback clients; containers that reach each other through the host's port).
 */
function chains({ bridge, subnet }: BridgeRules): Record<string, { hook: string; rules: string[] }> {
  const own = `"${bridge}"`;
  return {
    guard: {
      hook: 'type filter hook prerouting priority raw; policy accept;',
      rules: [`iifname ${own} ip daddr 127.0.0.0/8 drop`, `iifname ${own} ip saddr 127.0.0.0/8 drop`],
    },
    prerouting: {
      hook: 'type nat hook prerouting priority dstnat; policy accept;',
      rules: ['iifname != "lo" ip daddr 127.0.0.0/8 return', TO_ADDRESS, TO_ANY],
    },
    output: {
      hook: 'type nat hook output priority -100; policy accept;',
      rules: [TO_ADDRESS, TO_ANY],
    },
    postrouting: {
      hook: 'type nat hook postrouting priority srcnat; policy accept;',
      rules: [
        `oifname != ${own} ip saddr ${subnet} masquerade`,
        `oifname ${own} ip saddr 127.0.0.0/8 masquerade`,
        `oifname ${own} ip saddr ${subnet} ct status dnat masquerade`,
      ],
    },
    forward: {
      hook: 'type filter hook forward priority filter; policy accept;',
      rules: [
        `oifname ${own} ct state established,related accept`,
        `oifname ${own} iifname ${own} accept`,
        `oifname ${own} ct status dnat accept`,
        `oifname ${own} drop`,
      ],
    },
  };
}

/** Number of rules that {@link tableScript} makes, to tell whether somebody took one away. */
export function ruleCount(rules: BridgeRules): number {
  return Object.values(chains(rules)).reduce((sum, chain) => sum + chain.rules.length, 0);
}

/** Name of an empty chain that tells which rules the table was built from: nft 1.0.6 shows no table comments in JSON. */
export function markName(rules: BridgeRules): string {
  return `rules-${createHash('sha256')
    .update(JSON.stringify(chains(rules)))
    .digest('hex')
    .slice(0, 12)}`;
}

/** Replaces the whole table in one transaction: packets see the old rules or the new ones, never none. */
export function tableScript(table: string, rules: BridgeRules, ports: readonly PortTarget[]): string {
  let script = `add table ip ${table}\ndelete table ip ${table}\ntable ip ${table} {\n`;
  script += ` map ${ADDRESS_MAP} { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }\n`;
  script += ` map ${ANY_MAP} { type inet_proto . inet_service : ipv4_addr . inet_service; }\n`;
  script += ` chain ${markName(rules)} { }\n`;
  for (const [name, chain] of Object.entries(chains(rules)))
    script += ` chain ${name} { ${chain.hook}\n  ${chain.rules.join('\n  ')}\n }\n`;
  return `${script}}\n${portCommands('add', table, ports)}`;
}
