import { createHash } from 'node:crypto';

const service = (family: 4 | 6) => [`ipv${family}_addr`, 'inet_proto', 'inet_service'];

/**
 * The sets and maps of the table, with the types of key and value. None of them is a plain interval set: libnftables
 * reads all elements of those before it adds one to any set. Concatenated ones cost the same however full they are.
 */
export const SETS = {
  /** The bridges of this daemon. */
  bridges: { key: ['ifname'] },
  /** Bridges whose containers reach each other and the host only. */
  internal: { key: ['ifname'] },
  /** Ways that are open from one interface to another: within a bridge, and from trusted interfaces. */
  pairs: { key: ['ifname', 'ifname'] },
  /** Families of bridges without an address of the host. */
  isolated: { key: ['nf_proto', 'ifname'] },
  /** Families of bridges with mode `nat-unprotected`. */
  unprotected: { key: ['nf_proto', 'ifname'] },
  /** Families of bridges with mode `routed`. */
  routed: { key: ['nf_proto', 'ifname'] },
  /** Subnets by bridge. `iifname` is not known after routing, so the sender's address tells where a packet is from. */
  inside4: { key: ['ifname', 'ipv4_addr'], interval: true },
  inside6: { key: ['ifname', 'ipv6_addr'], interval: true },
  /** Subnets that the host's address hides outward. */
  masquerade4: { key: ['nf_proto', 'ipv4_addr'], interval: true },
  masquerade6: { key: ['nf_proto', 'ipv6_addr'], interval: true },
  /** Ports of one host address, with what stands behind them. */
  published4: { key: service(4), value: ['ipv4_addr', 'inet_service'] },
  published6: { key: service(6), value: ['ipv6_addr', 'inet_service'] },
  /** Ports of every host address. */
  'published-any4': { key: service(4).slice(1), value: ['ipv4_addr', 'inet_service'] },
  'published-any6': { key: service(6).slice(1), value: ['ipv6_addr', 'inet_service'] },
  /** Published ports at the containers' own addresses. */
  'open-ports4': { key: service(4) },
  'open-ports6': { key: service(6) },
} satisfies Record<string, { key: string[]; value?: string[]; interval?: boolean }>;

export type SetName = keyof typeof SETS;

/** A rule and why it is there. The comment is in the kernel, too: it tells this rule from what others put into the chain. */
export type Rule = readonly [comment: string, text: string];

const PORTED = 'meta l4proto { tcp, udp, sctp }';
const SERVICE = 'meta l4proto . th dport';

/** To ports of one address first, then to those of all. What `::1` and link-local addresses get is not for the kernel: held sockets carry it. */
const TRANSLATE: Rule[] = [
  ['published on one address', `dnat ip to ip daddr . ${SERVICE} map @published4`],
  ['published on every address', `fib daddr type local dnat ip to ${SERVICE} map @published-any4`],
  ['published on one IPv6 address', `dnat ip6 to ip6 daddr . ${SERVICE} map @published6`],
  [
    'published on every IPv6 address',
    `ip6 daddr != { ::1, fe80::/10 } fib daddr type local dnat ip6 to ${SERVICE} map @published-any6`,
  ],
];

/**
 * The chains, which never change. `forward` judges only what goes to our bridges: publications, answers and what options
 * open get in; neither other bridges nor direct routing reach a port that is not published. `postrouting` hides containers
 * outward, and hides the sender where an answer would otherwise miss the way back (loopback clients; containers of one
 * bridge that reach each other through the host's port).
 */
export const CHAINS: Record<string, { hook: string; rules: Rule[] }> = {
  guard: {
    hook: 'type filter hook prerouting priority raw',
    rules: [
      ['loopback addresses are on no wire', 'iifname != "lo" ip daddr 127.0.0.0/8 drop'],
      // `route_localnet` of the bridges would let it in.
      ['containers have no loopback address outside', 'iifname @bridges ip saddr 127.0.0.0/8 drop'],
    ],
  },
  prerouting: { hook: 'type nat hook prerouting priority dstnat', rules: TRANSLATE },
  output: { hook: 'type nat hook output priority -100', rules: TRANSLATE },
  input: {
    hook: 'type filter hook input priority filter',
    rules: [
      ['isolated from the host', 'meta nfproto . iifname @isolated drop'],
      // Held sockets refuse them by their addresses, which must be true then.
      ['nobody on internal networks is the host', 'iifname @internal fib saddr type local drop'],
      [
        'internal networks by their own addresses',
        `iifname @internal ${PORTED} iifname . ip saddr != @inside4 drop`,
      ],
      [
        'internal networks by their own IPv6 addresses',
        `iifname @internal ${PORTED} ip6 saddr != fe80::/10 iifname . ip6 saddr != @inside6 drop`,
      ],
    ],
  },
  forward: {
    hook: 'type filter hook forward priority filter',
    rules: [
      ['within a bridge, and from trusted interfaces', 'iifname . oifname @pairs accept'],
      ['nothing leaves internal networks', 'iifname @internal drop'],
      ['nothing enters internal networks', 'oifname @internal drop'],
      ['not to our bridges', 'oifname != @bridges accept'],
      ['answers', 'ct state established,related accept'],
      ['published ports', 'ct status dnat accept'],
      ['published ports of routed networks', `ip daddr . ${SERVICE} @open-ports4 accept`],
      ['published IPv6 ports of routed networks', `ip6 daddr . ${SERVICE} @open-ports6 accept`],
      ['bridges are strangers to each other', 'iifname @bridges drop'],
      ['unprotected networks', 'meta nfproto . oifname @unprotected accept'],
      ['ping of routed networks', 'meta nfproto . oifname @routed meta l4proto { icmp, ipv6-icmp } accept'],
      ['nothing else', 'oifname @bridges drop'],
    ],
  },
  postrouting: {
    hook: 'type nat hook postrouting priority srcnat',
    rules: [
      ['through the host back to the bridge', 'oifname . ip saddr @inside4 ct status dnat masquerade'],
      ['IPv6 through the host back to the bridge', 'oifname . ip6 saddr @inside6 ct status dnat masquerade'],
      ['within a bridge', 'oifname . ip saddr @inside4 accept'],
      ['IPv6 within a bridge', 'oifname . ip6 saddr @inside6 accept'],
      ['loopback clients', 'oifname @bridges ip saddr 127.0.0.0/8 masquerade'],
      ['outward', 'meta nfproto . ip saddr @masquerade4 masquerade'],
      ['IPv6 outward', 'meta nfproto . ip6 saddr @masquerade6 masquerade'],
    ],
  },
};

const DEFINITION = definition();

/** Name of an empty chain that tells which rules the table was built from: nft 1.0.6 shows no table comments in JSON. */
export const MARK = `rules-${createHash('sha256').update(DEFINITION).digest('hex').slice(0, 12)}`;

/** Replaces the whole table by one without elements, in the transaction that follows: packets see the old rules or the new ones. */
export function emptyTable(table: string): string {
  return `${replaced('inet', table)}table inet ${table} {\n chain ${MARK} { }\n${DEFINITION}}\n`;
}

/** Removes a table whether it is there or not: `destroy` is unknown to nft before 1.0.7. */
export function replaced(family: 'ip' | 'inet', table: string): string {
  return `add table ${family} ${table}\ndelete table ${family} ${table}\n`;
}

function definition(): string {
  let text = '';
  for (const [name, set] of Object.entries(SETS)) {
    const type = [set.key, 'value' in set ? set.value : []].filter(({ length }) => length > 0);
    const types = type.map((parts) => parts.join(' . ')).join(' : ');
    text += ` ${type.length > 1 ? 'map' : 'set'} ${name} { type ${types};${'interval' in set ? ' flags interval;' : ''} }\n`;
  }
  for (const [name, { hook, rules }] of Object.entries(CHAINS)) {
    const lines = rules.map(([comment, rule]) => `  ${rule} comment "${comment}"\n`);
    text += ` chain ${name} { ${hook}; policy accept;\n${lines.join('')} }\n`;
  }
  return text;
}
