import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createNetns, deleteNetns, RouteSocket, withNetns } from '../sys/index.ts';
import { formatSubnet, macOf } from './addresses/address.ts';
import { hostResolverConfig, parseResolvConf } from './dns/resolver.ts';
import { Firewall, forwardWarnings } from './firewall/firewall.ts';
import type { PortTarget } from './firewall/rules.ts';
import { HostKernel } from './host-kernel.ts';

let base: string;
let host: string;
let pins: string[];

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'wharf-kernel-'));
  host = join(base, 'host');
  pins = ['one', 'two'].map((name) => join(base, name));
  createNetns(host);
});
afterEach(() => {
  for (const pin of [...pins, host]) deleteNetns(pin);
  rmSync(base, { recursive: true, force: true });
});

const bridge = { name: 'wk0', cidr: '10.213.0.1/24', mtu: 1400 };

/** Runs `work` in a namespace that stands for the host; the kernel's calls are all synchronous. */
function onHost(work: (kernel: HostKernel, route: RouteSocket) => void): void {
  withNetns(host, () => {
    using kernel = new HostKernel();
    using route = RouteSocket.open();
    work(kernel, route);
  });
}

const sysctl = (path: string) => readFileSync(`/proc/sys/net/${path}`, 'latin1').trim();

const plug = (pin: string, at: number) => ({
  pin,
  interfaceName: 'eth0',
  hostInterface: `wv${at}`,
  bridge: 'wk0',
  mac: macOf(`10.213.0.${at}`),
  cidr: `10.213.0.${at}/24`,
  gateway: '10.213.0.1',
  mtu: 1400,
});

describe('the bridge', () => {
  it('is made once as it should be, and closed to IPv6', () => {
    onHost((kernel, route) => {
      assert.deepEqual(kernel.bridgeProblems(bridge), ['bridge wk0 is missing']);
      for (let round = 0; round < 2; round++) {
        kernel.ensureBridge(bridge);
        const link = route.link('wk0');
        assert.deepEqual(
          [link?.kind, link?.mtu, link?.up, link?.mac],
          ['bridge', 1400, true, macOf('10.213.0.1')],
        );
        assert.deepEqual(
          route.addresses('wk0').map(({ cidr }) => cidr),
          ['10.213.0.1/24'],
        );
        assert.deepEqual(kernel.bridgeProblems(bridge), []);
      }
      assert.equal(sysctl('ipv6/conf/wk0/disable_ipv6'), '1');
      assert.equal(sysctl('ipv6/conf/wk0/accept_ra'), '0');
      kernel.allowLoopback('wk0');
      assert.equal(sysctl('ipv4/conf/wk0/route_localnet'), '1');
    });
  });

  it('is repaired: mtu, address, another network’s address', () => {
    onHost((kernel, route) => {
      route.addBridge('wk0', { mtu: 1500 });
      assert.deepEqual(kernel.bridgeProblems(bridge), [
        'bridge wk0 is down',
        'bridge wk0 lacks the address 10.213.0.1/24',
      ]);
      kernel.ensureBridge(bridge);
      assert.deepEqual([kernel.bridgeProblems(bridge), route.link('wk0')?.mtu], [[], 1400]);
      const index = route.link('wk0')?.index;
      kernel.ensureBridge({ ...bridge, cidr: '10.214.0.1/24' });
      assert.notEqual(route.link('wk0')?.index, index, 'made anew');
      assert.deepEqual(
        route.addresses('wk0').map(({ cidr }) => cidr),
        ['10.214.0.1/24'],
      );
    });
  });

  it('never takes the place of a link of another kind', () => {
    onHost((kernel, route) => {
      route.addVethPair({ name: 'wk0', peerName: 'other' });
      assert.throws(() => kernel.ensureBridge(bridge), {
        kind: 'conflict',
        message: /^wk0 is a link of another kind \(veth\)/,
      });
      assert.equal(route.link('wk0')?.kind, 'veth');
    });
  });
});

describe('namespaces', () => {
  it('are plugged whole: address, route, hardware address, no IPv6, a port with hairpin', () => {
    onHost((kernel, route) => {
      kernel.ensureBridge(bridge);
      for (const [at, pin] of pins.entries()) {
        kernel.createNamespace(pin);
        assert.ok(kernel.isPinned(pin));
        kernel.plug(plug(pin, at + 2));
      }
      assert.deepEqual([...kernel.bridgePorts('wk0')].sort(), ['wv2', 'wv3']);
      assert.equal(sysctl('ipv6/conf/wv2/disable_ipv6'), '1');
      assert.equal(readFileSync('/sys/class/net/lo/ifindex', 'latin1').trim(), '1');
      using inside = RouteSocket.open(pins[0]);
      const eth0 = inside.link('eth0');
      assert.deepEqual([eth0?.mac, eth0?.mtu, eth0?.up], [macOf('10.213.0.2'), 1400, true]);
      assert.deepEqual(
        inside.addresses('eth0').map(({ cidr }) => cidr),
        ['10.213.0.2/24'],
      );
      assert.ok(inside.routes().some(({ dst, gateway }) => dst === undefined && gateway === '10.213.0.1'));
      assert.equal(
        withNetns(pins[0] as string, () => sysctl('ipv6/conf/eth0/disable_ipv6')),
        '1',
      );
      kernel.setMac(pins[0] as string, 'eth0', '02:aa:00:00:00:01');
      assert.equal(inside.link('eth0')?.mac, '02:aa:00:00:00:01');
      const counters = kernel.counters(pins[0] as string, ['eth0', 'nosuch']);
      assert.deepEqual(Object.keys(counters), ['eth0']);
      assert.equal(route.link('wv2')?.master, route.link('wk0')?.index);
    });
  });

  it('that cannot be plugged leave no descriptor, and an error that says why', () => {
    onHost((kernel) => {
      kernel.ensureBridge(bridge);
      const [pin] = pins as [string];
      kernel.createNamespace(pin);
      const before = readdirSync('/proc/self/fd').length;
      assert.throws(() => kernel.plug({ ...plug(pin, 2), mac: 'nonsense' }), { kind: 'invalid' });
      assert.throws(() => kernel.plug({ ...plug(pin, 2), hostInterface: 'a-name-that-is-too-long' }), {
        kind: 'invalid',
      });
      assert.throws(() => kernel.plug({ ...plug(pin, 2), bridge: 'nosuch' }), { kind: 'not-found' });
      assert.throws(() => kernel.plug(plug(join(base, 'none'), 3)), /ENOENT/);
      assert.equal(readdirSync('/proc/self/fd').length, before);
    });
  });

  it('are pinned and dropped, the host’s own too; a plain file is no namespace', () => {
    onHost((kernel) => {
      const [pin, file] = pins as [string, string];
      kernel.pinHost(pin);
      assert.ok(kernel.isPinned(pin));
      assert.equal(statSync(pin).ino, statSync('/proc/self/ns/net').ino);
      writeFileSync(file, '');
      assert.deepEqual([kernel.isPinned(file), kernel.isPinned(join(base, 'none'))], [false, false]);
      for (let round = 0; round < 2; round++) for (const path of [pin, file]) kernel.dropNamespace(path);
      assert.ok(!existsSync(pin) && !existsSync(file));
    });
  });

  it('take their links with them, and a loose link is attached again', () => {
    onHost((kernel, route) => {
      kernel.ensureBridge(bridge);
      kernel.createNamespace(pins[0] as string);
      kernel.plug(plug(pins[0] as string, 2));
      route.setMaster('wv2', 0);
      assert.equal(kernel.bridgePorts('wk0').size, 0);
      kernel.attach('wv2', 'wk0');
      assert.deepEqual([...kernel.bridgePorts('wk0')], ['wv2']);
      kernel.deleteLink('wv2');
      kernel.deleteLink('wv2');
      assert.equal(kernel.hasLink('wv2'), false);
      assert.deepEqual([...kernel.bridgePorts('nosuch')], []);
    });
  });
});

describe('what the host uses already', () => {
  it('is every range of an address or a route, but the bridge’s own', () => {
    onHost((kernel, route) => {
      kernel.ensureBridge(bridge);
      route.addBridge('other0');
      route.addAddress('other0', '192.168.7.1/24');
      route.setUp('other0');
      route.addRoute({ dst: '10.50.0.0/16', gateway: '192.168.7.9' });
      const ranges = (except: string) => new Set(kernel.occupiedRanges(except).map(formatSubnet));
      assert.deepEqual(ranges('wk0'), new Set(['127.0.0.0/8', '192.168.7.0/24', '10.50.0.0/16']));
      assert.ok(ranges('other0').has('10.213.0.0/24') && !ranges('other0').has('192.168.7.0/24'));
      assert.ok(ranges('nosuch').has('10.213.0.0/24'));
    });
  });

  it('is changed for the containers once: forwarding', () => {
    onHost((kernel) => {
      writeFileSync('/proc/sys/net/ipv4/ip_forward', '0');
      assert.deepEqual([kernel.enableForwarding(), kernel.enableForwarding()], [true, false]);
    });
  });
});

describe('rules in the real nft', () => {
  const rules = { bridge: 'wk0', subnet: '10.213.0.0/24' };
  const port = (hostPort: number, hostIp: string, protocol: PortTarget['protocol'] = 'tcp'): PortTarget => ({
    protocol,
    containerPort: 80,
    hostIp,
    hostPort,
    containerIp: '10.213.0.2',
  });
  const ports = [
    port(80, '0.0.0.0'),
    port(80, '127.0.0.1'),
    port(53, '0.0.0.0', 'udp'),
    port(7, '127.0.0.1', 'sctp'),
    port(80, '::'),
  ];

  it('are found as they were made, one by one or at once, and repaired when others change them', () => {
    onHost((kernel) => {
      const firewall = new Firewall(kernel, 'wk');
      assert.deepEqual(firewall.problems(rules, []), ['nft table ip wk is missing']);
      assert.equal(firewall.ensure(rules, []), true);
      firewall.add(ports);
      assert.deepEqual(firewall.problems(rules, ports), []);
      assert.equal(firewall.ensure(rules, ports), false);
      firewall.remove(ports.slice(0, 2));
      assert.deepEqual(firewall.problems(rules, ports.slice(2)), []);
      assert.throws(() => firewall.remove(ports.slice(0, 1)), /No such file/);
      kernel.nft('flush chain ip wk forward');
      assert.match(firewall.problems(rules, ports.slice(2))[0] ?? '', /has \d+ rules, not \d+/);
      assert.equal(firewall.ensure(rules, ports), true);
      assert.deepEqual(firewall.problems(rules, ports), []);
      assert.equal(firewall.ensure({ ...rules, subnet: '10.214.0.0/24' }, ports), true);
      firewall.drop();
      firewall.drop();
      assert.equal(kernel.nftObjects('list table ip wk'), undefined);
    });
  });

  it('warn of a chain that drops what it forwards, until it names the bridge', () => {
    onHost((kernel) => {
      const own = { table: 'wk', bridge: 'wk0' };
      new Firewall(kernel, 'wk').ensure(rules, []);
      assert.deepEqual(forwardWarnings(kernel, own), []);
      kernel.nft(
        'add table inet foreign\nadd chain inet foreign f { type filter hook forward priority 0; policy drop; }',
      );
      assert.match(
        forwardWarnings(kernel, own)[0] ?? '',
        /^WARNING: chain inet foreign f drops forwarded packets by policy/,
      );
      kernel.nft('add rule inet foreign f iifname "wk0" accept');
      assert.deepEqual(forwardWarnings(kernel, own), []);
    });
  });
});

describe('name servers', () => {
  const read = (files: Record<string, string>) => (path: string) => files[path];

  it('come from behind the stub only when the stub is the only one', () => {
    const behind = { '/run/systemd/resolve/resolv.conf': 'nameserver 10.0.0.53\nsearch corp.example\n' };
    const servers = (text: string, more = {}) =>
      hostResolverConfig(read({ '/etc/resolv.conf': text, ...more })).nameservers;
    assert.deepEqual(servers('nameserver 127.0.0.53\n', behind), ['10.0.0.53']);
    assert.deepEqual(servers('nameserver 127.0.0.53\nnameserver 9.9.9.9\n', behind), ['9.9.9.9']);
    assert.deepEqual(servers('nameserver 127.0.0.53\n'), ['8.8.8.8', '8.8.4.4']);
    assert.deepEqual(servers('nameserver ::1\nnameserver fd00::53\n'), ['8.8.8.8', '8.8.4.4']);
    const both = hostResolverConfig(
      read({ '/etc/resolv.conf': 'nameserver ::1\nnameserver fd00::53\nnameserver 1.1.1.1' }),
      true,
    );
    assert.deepEqual(both.nameservers, ['fd00::53', '1.1.1.1']);
  });

  it('are read from any text without a fault, and keep search and options when they fall back', () => {
    const none = { nameservers: [], search: [], options: [] };
    for (const text of [
      '',
      '\n\n',
      '# nameserver 1.1.1.1',
      '; x',
      'nameserver',
      'nameserver #1.1.1.1',
      'bogus 1.1.1.1',
      '\tNAMESERVER 1.1.1.1',
    ])
      assert.deepEqual(parseResolvConf(text), none, JSON.stringify(text));
    assert.deepEqual(parseResolvConf('\tnameserver\t1.1.1.1\r\nsearch a b\ndomain c\nsearch .').search, []);
    const fallen = hostResolverConfig(read({ '/etc/resolv.conf': 'search a.example\noptions ndots:1' }));
    assert.deepEqual(fallen, {
      nameservers: ['8.8.8.8', '8.8.4.4'],
      search: ['a.example'],
      options: ['ndots:1'],
    });
    assert.deepEqual(hostResolverConfig(() => undefined).search, []);
  });
});
