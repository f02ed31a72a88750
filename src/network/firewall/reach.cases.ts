// Run by packets.test.ts in a network namespace of its own, which stands for the host; others stand for neighbours and containers.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readSync, rmSync, writeSync } from 'node:fs';
import { createServer, type Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createNetns, deleteNetns, openSocket, withNetns } from '../../sys/index.ts';
import { hostRules } from '../host-rules.ts';
import { openFirewall } from './table.ts';
import type { BridgeRules, FamilyRules, GatewayMode, PortTarget } from './types.ts';

const dir = mkdtempSync(join(tmpdir(), 'wharf-reach-'));
const pin = (name: string) => join(dir, name);
const servers: Server[] = [];
const families = [4, 6] as const;
type Family = (typeof families)[number];

/** Networks by the letter of their containers; their subnets are 10.213.N.0/24 and fd00:213:N::/64, bridge `wf-LETTER`. */
const NETWORKS: { letter: string; mode: GatewayMode; rules?: Partial<BridgeRules>; masquerade?: boolean }[] =
  [
    { letter: 'a', mode: 'nat', rules: { trustedInterfaces: ['lan1'] } },
    { letter: 'b', mode: 'nat', rules: { icc: false }, masquerade: false },
    { letter: 'i', mode: 'nat', rules: { internal: true, trustedInterfaces: ['lan1'] } },
    { letter: 'r', mode: 'routed' },
    { letter: 'u', mode: 'nat-unprotected' },
    { letter: 's', mode: 'isolated', rules: { internal: true } },
  ];
const CONTAINERS = ['a1', 'a2', 'b1', 'b2', 'i1', 'r1', 'u1', 's1'];

const subnet = (network: string, family: Family) => {
  const at = NETWORKS.findIndex(({ letter }) => letter === network[0]) + 1;
  return family === 4 ? `10.213.${at}.` : `fd00:213:${at}::`;
};
/** The addresses of all; `gw-a` is the host's on the bridge of network a. */
function address(name: string, family: Family): string {
  if (name.startsWith('gw-')) return `${subnet(name[3]!, family)}1`;
  if (CONTAINERS.includes(name)) return subnet(name, family) + (Number(name[1]) + 1);
  const cables: Record<string, [string, string]> = {
    host: ['192.0.2.1', '2001:db8:1::1'],
    lan: ['192.0.2.9', '2001:db8:1::9'],
    trusted: ['198.51.100.9', '2001:db8:2::9'],
  };
  return cables[name]![family === 4 ? 0 : 1];
}

function bridgeOf({ letter, mode, rules, masquerade = true }: (typeof NETWORKS)[number]): BridgeRules {
  const of = (family: Family): FamilyRules => {
    const range = family === 4 ? `${subnet(letter, 4)}0/24` : `${subnet(letter, 6)}/64`;
    return { subnets: [range], mode, masquerade };
  };
  return {
    bridge: `wf-${letter}`,
    internal: false,
    trustedInterfaces: [],
    ipv4: of(4),
    ipv6: of(6),
    ...rules,
  };
}

const published = (family: Family, over: Partial<PortTarget>): PortTarget => ({
  protocol: 'tcp',
  containerPort: 80,
  hostIp: family === 4 ? '0.0.0.0' : '::',
  hostPort: 8080,
  containerIp: address('a1', family),
  bridge: 'wf-a',
  mode: 'nat',
  ...over,
});

const state = {
  bridges: NETWORKS.map(bridgeOf),
  ports: [
    published(4, { hostPort: 8081, hostIp: '127.0.0.1' }),
    ...families.flatMap((family) => [
      published(family, {}),
      published(family, { hostPort: 8082, hostIp: address('host', family) }),
      published(family, { mode: 'routed', containerIp: address('r1', family), bridge: 'wf-r' }),
    ]),
  ],
};

const VANTAGES = ['host', 'lan', 'trusted', 'a1', 'a2', 'b1', 'i1', 'r1', 'u1', 's1'];
/** What each vantage gets: `own` when the server sees the client's address, else whose it sees; `-` when there is no answer. */
const MATRIX: [target: string, port: number, server: string, ...seen: string[]][] = [
  // Published on every address, and on one; a loopback publication is not on the host's other addresses.
  ['host', 8080, 'a1', 'own', 'own', 'own', 'gw-a', 'gw-a', 'own', '-', 'own', 'gw-a', '-'],
  ['gw-a', 8080, 'a1', 'gw-a', 'own', 'own', 'gw-a', 'gw-a', 'own', '-', 'own', 'gw-a', '-'],
  ['host', 8082, 'a1', 'own', 'own', 'own', 'gw-a', 'gw-a', 'own', '-', 'own', 'gw-a', '-'],
  ['gw-a', 8082, 'a1', '-', '-', '-', '-', '-', '-', '-', '-', '-', '-'],
  ['host', 8081, 'a1', '-', '-', '-', '-', '-', '-', '-', '-', '-', '-'],
  // By direct routing to the containers: published ports and others.
  ['a1', 80, 'a1', 'gw-a', '-', 'own', 'own', 'own', '-', '-', '-', '-', '-'],
  ['a1', 81, 'a1', 'gw-a', '-', 'own', 'own', 'own', '-', '-', '-', '-', '-'],
  ['b1', 80, 'b1', 'gw-b', '-', '-', '-', '-', 'own', '-', '-', '-', '-'],
  ['i1', 80, 'i1', 'gw-i', '-', '-', '-', '-', '-', 'own', '-', '-', '-'],
  ['r1', 80, 'r1', 'gw-r', 'own', 'own', 'gw-r', 'gw-r', 'own', '-', 'own', 'gw-r', '-'],
  ['r1', 81, 'r1', 'gw-r', '-', '-', '-', '-', '-', '-', 'own', '-', '-'],
  ['u1', 81, 'u1', 'gw-u', 'own', 'own', '-', '-', '-', '-', '-', 'own', '-'],
  ['s1', 80, 's1', '-', '-', '-', '-', '-', '-', '-', '-', '-', 'own'],
  // Outward, and to the host itself, which isolated networks cannot see at all.
  ['lan', 90, 'lan', 'own', 'own', 'own', 'host', 'host', 'own', '-', 'own', 'host', '-'],
  ['host', 95, 'host', 'own', 'own', 'own', 'own', 'own', 'own', 'own', 'own', 'own', '-'],
];

const inside = (name: string) => (name === 'host' ? '' : `nsenter --net=${pin(name)} `);

/** Cables to two neighbours who send all to the host, bridges, containers; forwarding on, as daemons turn it on. */
function buildLab(): void {
  const lines = ['set -e', 'ip link set lo up'];
  const cable = (name: string, hostEnd: string) => {
    createNetns(pin(name));
    lines.push(`${inside(name)}sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0`);
    lines.push(`ip link add ${hostEnd} type veth peer name eth0 netns ${pin(name)}`);
    lines.push(`ip link set ${hostEnd} up`, `${inside(name)}ip link set eth0 up`);
  };
  const give = (name: string, link: string, cidr: string) =>
    lines.push(`${inside(name)}ip address add ${cidr} dev ${link}${cidr.includes(':') ? ' nodad' : ''}`);
  const routes = (name: string, gateways: [string, string]) =>
    lines.push(
      ...gateways.map(
        (gateway, at) => `${inside(name)}ip ${at ? '-6' : '-4'} route add default via ${gateway}`,
      ),
    );
  lines.push(
    'sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1',
    'sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0',
    // The worst that a host can have: kube-proxy sets it for all.
    'sysctl -qw net.ipv4.conf.all.route_localnet=1',
    // br_netfilter forwards translated frames within the bridge, where isolated ports get none of them.
    'sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 2> /dev/null || true',
  );
  for (const [name, hostEnd, net4, net6] of [
    ['lan', 'lan0', '192.0.2', '2001:db8:1:'],
    ['trusted', 'lan1', '198.51.100', '2001:db8:2:'],
  ] as const) {
    cable(name, hostEnd);
    give('host', hostEnd, `${net4}.1/24`);
    give('host', hostEnd, `${net6}:1/64`);
    give(name, 'eth0', `${net4}.9/24`);
    give(name, 'eth0', `${net6}:9/64`);
    routes(name, [`${net4}.1`, `${net6}:1`]);
  }
  for (const { letter, mode } of NETWORKS) {
    lines.push(
      `ip link add wf-${letter} type bridge`,
      `ip link set wf-${letter} address 02:00:00:00:00:01 up`,
    );
    for (const family of families) {
      const cidr = `${address(`gw-${letter}`, family)}/${family === 4 ? 24 : 64}`;
      if (mode !== 'isolated') give('host', `wf-${letter}`, cidr);
      else
        lines.push(
          `ip -${family} route add ${cidr.replace('1/', family === 4 ? '0/' : '/')} dev wf-${letter}`,
        );
    }
  }
  for (const name of CONTAINERS) {
    const bridge = `wf-${name[0]}`;
    cable(name, `v-${name}`);
    lines.push(`ip link set v-${name} master ${bridge}`, `bridge link set dev v-${name} hairpin on`);
    if (name[0] === 'b') lines.push(`bridge link set dev v-${name} isolated on`);
    for (const family of families) {
      give(name, 'eth0', `${address(name, family)}/${family === 4 ? 24 : 64}`);
      // Also where it was given no gateway, a container may make itself one.
      const gateway = address(`gw-${name[0]}`, family);
      lines.push(`${inside(name)}ip neigh add ${gateway} lladdr 02:00:00:00:00:01 dev eth0`);
    }
    routes(name, [address(`gw-${name[0]}`, 4), address(`gw-${name[0]}`, 6)]);
  }
  execFileSync('sh', ['-s'], { input: lines.join('\n') });
}

/** A server that says its name and whom it sees. */
async function serve(name: string, port: number, ip?: string): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end(`${name} ${socket.remoteAddress?.replace('::ffff:', '')}`);
  });
  servers.push(server);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('listening', resolve).once('error', reject);
  // Without a host name to look up Node binds at once, still in the namespace.
  if (name === 'host') server.listen(port, ip);
  else withNetns(pin(name), () => server.listen(port));
  await promise;
}

/** What a client somewhere reads; `-` when it gets no answer. */
function ask(vantage: string, ip: string, port: number): Promise<string> {
  const netns = vantage === 'host' ? {} : { netns: pin(vantage) };
  const family = ip.includes(':') ? 6 : 4;
  const { promise, resolve } = Promise.withResolvers<string>();
  const { fd } = openSocket({ family, type: 'stream', connect: { ip, port }, ...netns });
  const socket = new Socket({ fd });
  let heard = '';
  socket.on('data', (chunk) => {
    heard += chunk;
  });
  socket.on('error', () => {}).once('close', () => resolve(heard || '-'));
  setTimeout(() => socket.destroy(), 700).unref();
  return promise;
}

interface Cell {
  cell: string;
  expected: string;
  answer: Promise<string>;
}

/** Asks everything at once, and compares. */
async function checkMatrix(): Promise<number> {
  const cells: Cell[] = [];
  for (const family of families)
    for (const [target, port, server, ...seen] of MATRIX)
      for (const [at, vantage] of VANTAGES.entries()) {
        const whom = seen[at] === 'own' ? vantage : seen[at]!;
        const cell = `${vantage} → ${target}:${port} by IPv${family}`;
        const expected = whom === '-' ? '-' : `${server} ${sourceOf(whom, target, family)}`;
        cells.push({ cell, expected, answer: ask(vantage, address(target, family), port) });
      }
  const found = await Promise.all(cells.map(async ({ cell, answer }) => `${cell}: ${await answer}`));
  assert.deepEqual(
    found,
    cells.map(({ cell, expected }) => `${cell}: ${expected}`),
  );
  return found.length;
}

/** The host speaks to its neighbour, and to itself, from the address on that side. */
function sourceOf(whom: string, target: string, family: Family): string {
  return address(whom === 'host' && target.startsWith('gw-') ? target : whom, family);
}

const firewall = openFirewall(hostRules, 'wharf-reach');

before(async () => {
  buildLab();
  firewall.ensure(state);
  for (const name of CONTAINERS) for (const port of [80, 81]) await serve(name, port);
  await serve('lan', 90);
  await serve('host', 95);
});

after(() => {
  for (const server of servers) server.close();
  for (const name of [...CONTAINERS, 'lan', 'trusted']) deleteNetns(pin(name));
  rmSync(dir, { recursive: true });
});

describe('who reaches what', () => {
  it('is as the matrix says', async () => {
    assert.ok((await checkMatrix()) >= 120);
  });

  it('is the same after somebody flushed all rules', async () => {
    const { promise, resolve } = Promise.withResolvers<string[]>();
    using _watch = firewall.watch(() => state, resolve);
    execFile('nft', ['flush', 'ruleset']);
    assert.deepEqual(await promise, ['nft table inet wharf-reach is missing']);
    await checkMatrix();
  });

  it('is the same for loopback: published there and everywhere for the host, and for nobody else who routes it to us', async () => {
    assert.equal(await ask('host', '127.0.0.1', 8080), `a1 ${address('gw-a', 4)}`);
    assert.equal(await ask('host', '127.0.0.1', 8081), `a1 ${address('gw-a', 4)}`);
    await serve('host', 8083, '127.0.0.1');
    assert.equal(await ask('host', '127.0.0.1', 8083), 'host 127.0.0.1');
    for (const [vantage, gateway] of FORGERS) {
      forgeLoopback(vantage, gateway);
      const heard = await Promise.all([8080, 8081, 8083].map((port) => ask(vantage, '127.0.0.1', port)));
      assert.deepEqual(heard, ['-', '-', '-'], vantage);
    }
  });

  it('lets nobody on a bridge pose as the host’s loopback', async () => {
    using heard = openSocket({ family: 4, type: 'dgram', bind: { ip: '0.0.0.0', port: 9999 } });
    const say = (ip: string) => {
      const to = { ip: address('gw-a', 4), port: 9999 };
      const bind = { ip, port: 0 };
      using socket = openSocket({ family: 4, type: 'dgram', netns: pin('a2'), bind, connect: to });
      writeSync(socket.fd, 'boo');
    };
    say('127.0.0.1');
    say(address('a2', 4));
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.deepEqual([read(heard.fd), read(heard.fd)], [3, 0], 'the one from its own address only');
  });

  it('hears containers of internal networks by their own addresses only', async () => {
    using four = openSocket({ family: 4, type: 'dgram', bind: { ip: '0.0.0.0', port: 9998 } });
    using six = openSocket({ family: 6, type: 'dgram', v6only: true, bind: { ip: '::', port: 9998 } });
    const say = (family: Family, ip: string, words: string) => {
      const inside = [
        'nsenter',
        [`--net=${pin('i1')}`, 'ip', 'address', 'replace', ip, 'dev', 'eth0'],
      ] as const;
      execFileSync(...inside, { stdio: 'ignore' });
      const to = { ip: address('gw-i', family), port: 9998 };
      const bind = { ip: ip.split('/')[0]!, port: 0 };
      using socket = openSocket({
        family,
        type: 'dgram',
        netns: pin('i1'),
        freebind: true,
        bind,
        connect: to,
      });
      writeSync(socket.fd, words);
    };
    for (const family of families) {
      const bits = family === 4 ? 24 : 64;
      say(family, family === 4 ? '10.213.1.77/32' : 'fd00:213:1::77/128', 'posing');
      if (family === 6) say(family, `${address('gw-a', 6)}/128`, 'as host');
      say(family, `${address('i1', family)}/${bits}`, 'true');
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    for (const { fd } of [four, six]) {
      const heard: number[] = [];
      for (let size = read(fd); size > 0; size = read(fd)) heard.push(size);
      assert.deepEqual(heard, ['true'.length]);
    }
  });

  it('leaves ::1 to the sockets that hold the port', async () => {
    await serve('host', 8080, '::1');
    assert.equal(await ask('host', '::1', 8080), 'host ::1');
  });

  it('keeps isolated containers of one bridge apart, also by way of the host, save for what is published', async () => {
    for (const family of families) {
      const [target, gateway] = [address('b2', family), address('gw-b', family)];
      const bits = family === 4 ? 32 : 128;
      assert.equal(await ask('b1', target, 80), '-');
      execFileSync('nsenter', [
        `--net=${pin('b1')}`,
        'ip',
        'route',
        'add',
        `${target}/${bits}`,
        'via',
        gateway,
      ]);
      execFileSync('nsenter', [
        `--net=${pin('b2')}`,
        'ip',
        'route',
        'add',
        `${address('b1', family)}/${bits}`,
        'via',
        gateway,
      ]);
      assert.equal(await ask('b1', target, 80), '-');
      const ports = [published(family, { hostPort: 8090, containerIp: target, bridge: 'wf-b' })];
      firewall.apply({ add: { ports } });
      assert.equal(await ask('b1', address('host', family), 8090), `b2 ${gateway}`);
      firewall.apply({ remove: { ports } });
      assert.equal(await ask('b1', address('host', family), 8090), '-');
    }
  });
});

/** The size of one datagram; 0 when there is none. */
function read(fd: number): number {
  try {
    return readSync(fd, Buffer.alloc(9));
  } catch {
    return 0;
  }
}

/** Who sends packets for 127.0.0.1 to the host, by which of its addresses. */
const FORGERS = [
  ['lan', 'host'],
  ['a1', 'gw-a'],
  ['a2', 'gw-a'],
  ['b1', 'gw-b'],
  ['i1', 'gw-i'],
] as const;

function forgeLoopback(vantage: string, gateway: string): void {
  const at = ['dev', 'eth0', 'src', address(vantage, 4), 'table', '99'].join(' ');
  const lines = [
    'echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet',
    'ip rule add pref 1 lookup 99 to 127.0.0.1',
    'ip rule del pref 0',
    'ip rule add pref 5 lookup local',
    `ip route add 127.0.0.1 via ${address(gateway, 4)} ${at}`,
  ];
  execFileSync('nsenter', [`--net=${pin(vantage)}`, 'sh', '-ec', lines.join('\n')]);
}
