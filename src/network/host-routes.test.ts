import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { createNetns, deleteNetns, RouteSocket, watchRoutes, withNetns } from '../sys/index.ts';
import { choosePools } from './addresses/choose.ts';
import { clashes, type WatchedNetworks, watchClashes } from './host-routes.ts';
import type { NetworkRecord } from './types.ts';

const network = (name: string, ...subnets: string[]): Pick<NetworkRecord, 'name' | 'driver' | 'pools'> => ({
  name,
  driver: 'bridge',
  pools: subnets.map((subnet) => ({ subnet, gateway: '' })),
});

describe('clashes of networks with the host’s routes', () => {
  it('are told with the way out', () => {
    const networks = [network('lab', '172.20.0.0/16', 'fd00:1::/64'), network('web', '10.0.0.0/24')];
    assert.deepEqual(clashes(networks, ['172.20.5.7/24', '192.0.2.2/24', 'fd00:2::1/64']), [
      'network lab (172.20.0.0/16) overlaps a route of this host to 172.20.5.0/24: hosts there and containers on the ' +
        'network hide each other. Give the network other addresses with: wharf network renumber lab',
    ]);
    assert.deepEqual(
      clashes(networks, ['10.0.0.0/8', 'fd00::/16']).map((text) => text.split(':')[0]),
      ['network lab (fd00', 'network web (10.0.0.0/24) overlaps a route of this host to 10.0.0.0/8'],
    );
  });

  it('have another way out on the default bridge, whose addresses the configuration gives', () => {
    const [text = ''] = clashes([network('bridge', '172.20.0.0/16')], ['172.20.5.7/24']);
    assert.match(text, /by the daemon's option bip/);
    assert.doesNotMatch(text, /renumber/);
  });

  it('are one sentence a subnet, however many routes and addresses there are', () => {
    const occupied = ['172.20.5.7/32', '172.20.5.0/24', '172.20.9.0/24', '172.20.5.0/24'];
    const [text, ...more] = clashes([network('lab', '172.20.0.0/16')], occupied);
    assert.match(text ?? '', /overlaps routes of this host to 172\.20\.5\.0\/24, 172\.20\.9\.0\/24: /);
    assert.deepEqual(more, []);
  });

  it('are not made by the way to the world, by link-local addresses, nor by the link a network lies on', () => {
    const networks = [network('lab', '172.20.0.0/16', 'fe80::/64'), { ...network('lan', '192.0.2.0/24') }];
    const wide = ['0.0.0.0/0', '0.0.0.0/1', '128.0.0.0/1', '::/0', '2000::/3', 'fe80::1/64'];
    assert.deepEqual(clashes(networks, wide), []);
    assert.deepEqual(
      clashes([{ ...network('lan', '192.0.2.0/24'), driver: 'macvlan' }], ['192.0.2.2/24']),
      [],
    );
  });
});

describe('on a host with real routes', () => {
  let folder: string;
  let pin: string;
  let host: RouteSocket;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'wharf-host-routes-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(() => {
    pin = join(folder, 'host');
    createNetns(pin);
    host = RouteSocket.open(pin);
    host.addBridge('br-lab', {});
    host.addAddress('br-lab', '172.20.0.1/16');
    host.setUp('br-lab');
    host.addVethPair({ name: 'vpn0', peerName: 'vpn1' });
    host.setUp('vpn1');
  });
  afterEach(() => {
    host.close();
    deleteNetns(pin);
  });

  /** What the host's kernel says of it, without our own links. */
  const occupied = (own: ReadonlySet<string>): string[] => {
    const except = new Set(host.links().flatMap(({ name, index }) => (own.has(name) ? index : [])));
    const others = ({ linkIndex }: { linkIndex?: number }) =>
      linkIndex === undefined || !except.has(linkIndex);
    return [
      ...host
        .addresses()
        .filter(others)
        .map(({ cidr }) => cidr),
      ...host
        .routes()
        .filter(others)
        .flatMap(({ dst }) => dst ?? []),
    ];
  };
  const vpnUp = (address: string, ...routes: string[]) => {
    host.addAddress('vpn0', address);
    host.setUp('vpn0');
    for (const dst of routes) host.addRoute({ dst, dev: 'vpn0' });
  };

  /** A watch of one network, and what it has told; `next` waits for the next time it tells. */
  function watching(networks: () => ReturnType<typeof network>[]) {
    const told: string[][] = [];
    let wake = () => {};
    const watched: WatchedNetworks = {
      kernel: {
        occupiedRanges: occupied,
        watchRoutes: (changed) => withNetns(pin, () => watchRoutes(changed)),
      },
      networks,
      ownLinks: () => new Set(['br-lab']),
    };
    const watch = watchClashes(watched, (sentences) => {
      told.push(sentences);
      wake();
    });
    // The watch keeps no process running, the test has to.
    const next = () =>
      new Promise<string[]>((resolve) => {
        const stay = setInterval(() => {}, 1000);
        wake = () => {
          clearInterval(stay);
          resolve(told.at(-1) as string[]);
        };
      });
    return { told, next, [Symbol.dispose]: () => watch[Symbol.dispose]() };
  }

  it('a network is chosen around what a VPN has, and an own bridge is no obstacle to itself', () => {
    vpnUp('172.17.0.9/24', '172.18.0.0/15', '0.0.0.0/1', '128.0.0.0/1');
    const spaces = Array.from({ length: 15 }, (_, at) => ({ base: `172.${17 + at}.0.0/16`, size: 16 }));
    const ground = { spaces, ulaPrefix: 'fd12:3456:789a::/48', networks: [] };
    const choose = (own: string[]) =>
      choosePools({}, { ...ground, occupied: occupied(new Set(own)) })[0]?.subnet;
    assert.equal(choose([]), '172.21.0.0/16');
    assert.equal(choose(['br-lab']), '172.20.0.0/16');
  });

  it('a VPN that comes later is told once, and anew with every route that it adds', async () => {
    using watch = watching(() => [network('lab', '172.20.0.0/16')]);
    assert.deepEqual(watch.told, [], 'the own bridge is no clash');
    let told = watch.next();
    vpnUp('10.8.0.5/24', '0.0.0.0/1', '172.20.64.0/24');
    assert.match(
      (await told).join(),
      /^network lab \(172\.20\.0\.0\/16\) .* to 172\.20\.64\.0\/24: .* renumber lab$/,
    );
    told = watch.next();
    host.addRoute({ dst: '172.20.65.0/24', dev: 'vpn0' });
    assert.match((await told).join(), /to 172\.20\.64\.0\/24, 172\.20\.65\.0\/24/);
    assert.equal(watch.told.length, 2);
  });

  it('what clashes already is told at once, and nothing after the end', () => {
    vpnUp('172.20.64.5/24');
    {
      using watch = watching(() => [network('lab', '172.20.0.0/16')]);
      assert.equal(watch.told.length, 1);
    }
    using without = watching(() => []);
    assert.deepEqual(without.told, []);
  });
});
