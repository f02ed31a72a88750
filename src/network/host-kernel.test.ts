import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { WharfError } from '../base/index.ts';
import { createNetns, deleteNetns, RouteSocket, withNetns } from '../sys/index.ts';
import { macOf } from './addresses/address.ts';
import { hostResolverConfig, parseResolvConf } from './dns/resolver.ts';
import { HostKernel } from './host-kernel.ts';

let base: string;
let host: string;
let pins: [string, string];

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'wharf-kernel-'));
  host = join(base, 'host');
  pins = [join(base, 'one'), join(base, 'two')];
  createNetns(host);
});
afterEach(() => {
  for (const pin of [...pins, host]) deleteNetns(pin);
  rmSync(base, { recursive: true, force: true });
});

const bridge = { name: 'wk0', cidrs: ['10.213.0.1/24'], mtu: 1400, ipv6: false, foreign: false };
const dual = { ...bridge, cidrs: ['10.213.0.1/24', 'fd00:213::1/64'], ipv6: true };

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
  isolated: false,
  mac: macOf(`10.213.0.${at}`),
  cidrs: [`10.213.0.${at}/24`],
  ipv6: false,
  sysctls: [],
  mtu: 1400,
});

/** The addresses of a link that are not link-local IPv6. */
const addresses = (route: RouteSocket, link: string) =>
  route
    .addresses(link)
    .map(({ cidr }) => cidr)
    .filter((cidr) => !cidr.startsWith('fe80'));

describe('the bridge', () => {
  it('is made once as it should be, and closed to IPv6 unless the network has it', () => {
    onHost((kernel, route) => {
      assert.deepEqual(kernel.bridgeProblems(bridge), ['bridge wk0 is missing']);
      for (const plan of [bridge, bridge, dual, dual, bridge]) {
        kernel.ensureBridge(plan);
        const link = route.link('wk0');
        const seen = [link?.kind, link?.mtu, link?.up, link?.mac];
        assert.deepEqual(seen, ['bridge', 1400, true, macOf('10.213.0.1')]);
        assert.deepEqual(addresses(route, 'wk0').sort(), plan.cidrs);
        assert.deepEqual(kernel.bridgeProblems(plan), []);
        assert.equal(sysctl('ipv6/conf/wk0/disable_ipv6'), plan.ipv6 ? '0' : '1');
        assert.equal(sysctl('ipv6/conf/wk0/accept_ra'), '0');
      }
      kernel.allowLoopback('wk0');
      assert.equal(sysctl('ipv4/conf/wk0/route_localnet'), '1');
    });
  });

  it('is repaired: mtu, up, addresses of another configuration; its ports stay', () => {
    onHost((kernel, route) => {
      route.addBridge('wk0', { mtu: 1500 });
      assert.deepEqual(kernel.bridgeProblems(bridge), [
        'bridge wk0 is down',
        'bridge wk0 lacks the address 10.213.0.1/24',
      ]);
      kernel.ensureBridge(bridge);
      assert.deepEqual([kernel.bridgeProblems(bridge), route.link('wk0')?.mtu], [[], 1400]);
      const index = route.link('wk0')?.index;
      kernel.ensureBridge({ ...bridge, cidrs: ['10.214.0.1/24'] });
      assert.equal(route.link('wk0')?.index, index);
      assert.deepEqual(addresses(route, 'wk0'), ['10.214.0.1/24']);
    });
  });

  it('of another owner keeps what it has', () => {
    onHost((kernel, route) => {
      route.addBridge('wk0', { mtu: 1500 });
      route.addAddress('wk0', '192.168.9.1/24');
      kernel.ensureBridge({ ...bridge, foreign: true });
      assert.deepEqual(addresses(route, 'wk0').sort(), ['10.213.0.1/24', '192.168.9.1/24']);
      assert.equal(route.link('wk0')?.mtu, 1500);
      kernel.removeAddresses('wk0', ['10.213.0.1/24', '10.9.9.9/24']);
      assert.deepEqual(kernel.addressesOf('wk0'), ['192.168.9.1/24']);
      kernel.removeAddresses('gone0', ['10.213.0.1/24']);
      assert.deepEqual(kernel.addressesOf('gone0'), []);
    });
  });

  it('never takes the place of a link of another kind', () => {
    onHost((kernel, route) => {
      route.addVethPair({ name: 'wk0', peerName: 'other' });
      assert.throws(() => kernel.ensureBridge(bridge), {
        kind: 'conflict',
        message: 'existing interface wk0 is not a bridge',
      });
      assert.equal(route.link('wk0')?.kind, 'veth');
    });
  });
});

describe('namespaces', () => {
  it('are plugged whole: address, hardware address, no IPv6, a port with hairpin; the route apart', () => {
    onHost((kernel, route) => {
      kernel.ensureBridge(bridge);
      for (const [at, pin] of pins.entries()) {
        kernel.namespaces.create(pin);
        assert.ok(kernel.namespaces.isPinned(pin));
        kernel.plug(plug(pin, at + 2));
      }
      assert.ok(kernel.isPort('wv2', 'wk0') && kernel.isPort('wv3', 'wk0'));
      assert.equal(kernel.links().get('wv2')?.bridge, 'wk0');
      assert.equal(sysctl('ipv6/conf/wv2/disable_ipv6'), '1');
      const [pin] = pins;
      assert.deepEqual([...kernel.namespaces.interfaces(pin)].sort(), ['eth0', 'lo']);
      using inside = RouteSocket.open(pin);
      const eth0 = inside.link('eth0');
      assert.deepEqual([eth0?.mac, eth0?.mtu, eth0?.up], [macOf('10.213.0.2'), 1400, true]);
      assert.deepEqual(addresses(inside, 'eth0'), ['10.213.0.2/24']);
      assert.equal(
        withNetns(pin, () => sysctl('ipv6/conf/eth0/disable_ipv6')),
        '1',
      );
      kernel.namespaces.setMac(pin, 'eth0', '02:aa:00:00:00:01');
      assert.equal(inside.link('eth0')?.mac, '02:aa:00:00:00:01');
      assert.deepEqual(Object.keys(kernel.namespaces.counters(pin, ['eth0', 'nosuch'])), ['eth0']);
      const gateways = () => inside.routes().flatMap(({ dst, gateway }) => (dst ? [] : gateway));
      kernel.namespaces.setDefaultRoute(pin, 4, { dev: 'eth0', gateway: '10.213.0.1' });
      kernel.namespaces.setDefaultRoute(pin, 4, { dev: 'eth0', gateway: '10.213.0.9' });
      assert.deepEqual(gateways(), ['10.213.0.9']);
      kernel.namespaces.setDefaultRoute(pin, 4, { dev: 'eth0' });
      kernel.namespaces.setDefaultRoute(pin, 4, undefined);
      kernel.namespaces.setDefaultRoute(pin, 4, undefined);
      assert.deepEqual(gateways(), []);
      kernel.namespaces.unplug(pin, 'eth0');
      kernel.namespaces.unplug(pin, 'eth0');
      assert.equal(route.link('wv2'), undefined, 'the other end went with it');
    });
  });

  it('get IPv6 without waiting for duplicates, take no router’s word, and their sysctls', () => {
    onHost((kernel) => {
      kernel.ensureBridge(dual);
      const [pin] = pins;
      kernel.namespaces.create(pin);
      const cidrs = ['10.213.0.2/24', 'fd00:213::2/64', '169.254.8.8/16'];
      const sysctls = [{ path: 'net/ipv4/conf/eth0/log_martians', value: '1' }];
      kernel.plug({ ...plug(pin, 2), cidrs, ipv6: true, sysctls });
      using inside = RouteSocket.open(pin);
      assert.deepEqual(addresses(inside, 'eth0').sort(), [...cidrs].sort());
      kernel.namespaces.setDefaultRoute(pin, 6, { dev: 'eth0', gateway: 'fd00:213::1' });
      assert.ok(inside.routes().some(({ dst, gateway }) => !dst && gateway === 'fd00:213::1'));
      withNetns(pin, () => {
        assert.equal(sysctl('ipv6/conf/eth0/accept_ra'), '0');
        assert.equal(sysctl('ipv4/conf/eth0/log_martians'), '1');
        const [line] = readFileSync('/proc/net/if_inet6', 'latin1')
          .split('\n')
          .filter((entry) => entry.startsWith('fd00'));
        const TENTATIVE = 0x40;
        assert.equal(Number.parseInt(line?.split(/\s+/)[4] ?? '40', 16) & TENTATIVE, 0);
      });
      const wrong = [{ path: 'net/ipv4/conf/eth0/nosuch', value: '1' }];
      kernel.namespaces.create(pins[1]);
      assert.throws(() => kernel.plug({ ...plug(pins[1], 3), sysctls: wrong }), {
        message: '/proc/sys/net/ipv4/conf/eth0/nosuch is not a sysctl file',
      });
      assert.equal(kernel.hasLink('wv3'), false);
    });
  });

  it('get interfaces on a link of the host, and a clear word where the kernel has no such kind', (t) => {
    onHost((kernel, route) => {
      route.addVethPair({ name: 'lan0', peerName: 'lan1' });
      const [pin] = pins;
      kernel.namespaces.create(pin);
      const plan = { ...plug(pin, 2), interfaceName: 'eth1', mtu: 0, parent: 'lan0' };
      kernel.plugParented({ ...plan, kind: 'macvlan', mode: 'bridge' });
      using inside = RouteSocket.open(pin);
      const eth1 = inside.link('eth1');
      assert.deepEqual([eth1?.kind, eth1?.mac, eth1?.up], ['macvlan', plan.mac, true]);
      for (const [what, make] of [
        [
          'ipvlan',
          () => kernel.plugParented({ ...plan, interfaceName: 'e2', cidrs: [], kind: 'ipvlan', mode: 'l2' }),
        ],
        ['vlan', () => kernel.ensureVlan({ name: 'lan1.7', parent: 'lan1', id: 7 })],
      ] as const)
        try {
          make();
        } catch (thrown) {
          assert.match(String(thrown), new RegExp(`the kernel may lack the module ${what}`));
          t.diagnostic(`no packets over ${what}: ${thrown}`);
        }
    });
  });

  it('are offered kinds of interfaces that the kernel has; the look leaves nothing', (t) => {
    onHost((kernel) => {
      const before = readdirSync('/proc/self/fd').length;
      kernel.checkKind('macvlan');
      kernel.checkKind('macvlan');
      try {
        kernel.checkKind('ipvlan');
      } catch (thrown) {
        const message = 'operation not supported: the kernel may lack the module ipvlan';
        assert.deepEqual(
          [(thrown as WharfError).kind, (thrown as WharfError).message],
          ['not-implemented', message],
        );
        t.diagnostic(`no ipvlan: ${thrown}`);
      }
      assert.deepEqual([...kernel.links().keys()], ['lo']);
      assert.equal(readdirSync('/proc/self/fd').length, before);
    });
  });

  it('of IPv6 alone are plugged, routed and repaired without any IPv4', () => {
    onHost((kernel, route) => {
      const six = { ...bridge, cidrs: ['fd00:214::1/64'], ipv6: true };
      kernel.ensureBridge(six);
      assert.match(route.link('wk0')?.mac ?? '', /^02:/);
      const [pin] = pins;
      kernel.namespaces.create(pin);
      kernel.plug({ ...plug(pin, 2), cidrs: ['fd00:214::2/64'], ipv6: true });
      using inside = RouteSocket.open(pin);
      const routes = () =>
        inside.routes().flatMap(({ dst, gateway, family }) => (dst ? [] : `${family} ${gateway}`));
      kernel.namespaces.setDefaultRoute(pin, 6, { dev: 'eth0', gateway: 'fd00:214::1' });
      assert.deepEqual(routes(), ['6 fd00:214::1']);
      assert.deepEqual(addresses(inside, 'eth0'), ['fd00:214::2/64']);
      kernel.namespaces.setDefaultRoute(pin, 6, undefined);
      kernel.namespaces.setDefaultRoute(pin, 6, undefined);
      assert.deepEqual(routes(), []);
      route.deleteAddress('wk0', 'fd00:214::1/64');
      assert.deepEqual(kernel.bridgeProblems(six), ['bridge wk0 lacks the address fd00:214::1/64']);
      kernel.ensureBridge(six);
      assert.deepEqual([kernel.bridgeProblems(six), addresses(route, 'wk0')], [[], six.cidrs]);
    });
  });

  it('that cannot be plugged leave no descriptor and no link, and an error that says why', () => {
    onHost((kernel) => {
      kernel.ensureBridge(bridge);
      const [pin] = pins;
      kernel.namespaces.create(pin);
      const before = readdirSync('/proc/self/fd').length;
      assert.throws(() => kernel.plug({ ...plug(pin, 2), mac: 'nonsense' }), { kind: 'invalid' });
      const long = { ...plug(pin, 2), hostInterface: 'a-name-that-is-too-long' };
      assert.throws(() => kernel.plug(long), { kind: 'invalid' });
      assert.throws(() => kernel.plug({ ...plug(pin, 2), bridge: 'nosuch' }), { kind: 'not-found' });
      assert.throws(() => kernel.plug(plug(join(base, 'none'), 3)), /ENOENT/);
      assert.equal(readdirSync('/proc/self/fd').length, before);
      assert.deepEqual([...kernel.links().keys()].sort(), ['lo', 'wk0']);
    });
  });

  it('are pinned and dropped, the host’s own too; a plain file is no namespace', () => {
    onHost((kernel) => {
      const [pin, file] = pins;
      kernel.namespaces.pinHost(pin);
      assert.ok(kernel.namespaces.isPinned(pin));
      assert.equal(statSync(pin).ino, statSync('/proc/self/ns/net').ino);
      writeFileSync(file, '');
      assert.deepEqual(
        [kernel.namespaces.isPinned(file), kernel.namespaces.isPinned(join(base, 'none'))],
        [false, false],
      );
      for (let round = 0; round < 2; round++) for (const path of [pin, file]) kernel.namespaces.drop(path);
      assert.ok(!existsSync(pin) && !existsSync(file));
    });
  });

  it('take their links with them, and a loose link is attached again', () => {
    onHost((kernel, route) => {
      kernel.ensureBridge(bridge);
      kernel.namespaces.create(pins[0]);
      kernel.plug(plug(pins[0], 2));
      route.setMaster('wv2', 0);
      assert.equal(kernel.isPort('wv2', 'wk0'), false);
      kernel.attach('wv2', 'wk0', true);
      assert.ok(kernel.isPort('wv2', 'wk0'));
      assert.equal(readFileSync('/sys/class/net/lo/ifindex', 'latin1').trim(), '1');
      kernel.deleteLink('wv2');
      kernel.deleteLink('wv2');
      assert.equal(kernel.hasLink('wv2'), false);
      assert.equal(kernel.isPort('wv2', 'nosuch'), false);
    });
  });
});

describe('what the host uses already', () => {
  it('is every range of an address or a route, but those of the links named', () => {
    onHost((kernel, route) => {
      kernel.ensureBridge(dual);
      route.addBridge('other0');
      route.addAddress('other0', '192.168.7.1/24');
      route.setUp('other0');
      route.addRoute({ dst: '10.50.0.0/16', gateway: '192.168.7.9' });
      const ranges = (...except: string[]) => kernel.occupiedRanges(new Set(except));
      const others = ranges('wk0').filter((range) => !range.includes(':'));
      assert.deepEqual(
        new Set(others),
        new Set(['127.0.0.1/8', '192.168.7.1/24', '192.168.7.0/24', '10.50.0.0/16']),
      );
      assert.ok(ranges('other0').includes('fd00:213::1/64') && !ranges('other0').includes('192.168.7.1/24'));
      assert.ok(ranges('nosuch').includes('10.213.0.1/24'));
    });
  });

  it('is changed for the containers once: forwarding; the host goes on hearing routers', () => {
    onHost((kernel, route) => {
      writeFileSync('/proc/sys/net/ipv4/ip_forward', '0');
      assert.deepEqual([kernel.enableForwarding(4), kernel.enableForwarding(4)], [true, false]);
      route.addBridge('other0');
      assert.equal(sysctl('ipv6/conf/other0/accept_ra'), '1');
      writeFileSync('/proc/sys/net/ipv6/conf/all/forwarding', '0');
      assert.deepEqual([kernel.enableForwarding(6), kernel.enableForwarding(6)], [true, false]);
      assert.equal(sysctl('ipv6/conf/other0/accept_ra'), '2');
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
