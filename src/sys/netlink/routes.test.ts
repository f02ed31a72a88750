import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isKind } from '../../base/index.ts';
import { isErrno } from '../errno.ts';
import { createNetns, deleteNetns } from '../namespace.ts';
import { RouteSocket } from './route-socket.ts';
import type { Route } from './types.ts';

let base: string;
let pin: string;
let route: RouteSocket;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'wharf-routes-'));
  pin = join(base, 'ns');
  createNetns(pin);
  route = RouteSocket.open(pin);
  route.addVethPair({ name: 'eth0', peerName: 'eth1' });
  for (const link of ['eth0', 'eth1']) route.setUp(link);
  for (const cidr of ['10.7.0.2/24', 'fd07::2/64']) route.addAddress('eth0', cidr);
});
afterEach(() => {
  route.close();
  deleteNetns(pin);
  rmSync(base, { recursive: true, force: true });
});

/** What ip(8) says, as a second witness. */
const ip = (...args: string[]) =>
  execFileSync('nsenter', [`--net=${pin}`, 'ip', ...args], { encoding: 'utf8' });
const defaults = (family: 4 | 6) => route.routes().filter((one) => one.family === family && !one.dst);
const index = () => route.link('eth0')?.index as number;

for (const [family, gateways, foreign] of [
  [4, ['10.7.0.1', '10.7.0.9'], '192.0.2.1'],
  [6, ['fd07::1', 'fd07::9'], '2001:db8::1'],
] as const) {
  describe(`the default route of IPv${family}`, () => {
    it('is replaced: by another gateway, by a device, and by a gateway again; there is always one', () => {
      for (const gateway of [...gateways, undefined, gateways[0]]) {
        route.replaceDefaultRoute({ family, ...(gateway ? { gateway } : { dev: 'eth0' }) });
        const wanted: Route = { family, linkIndex: index(), ...(gateway && { gateway }) };
        assert.deepEqual(defaults(family), [wanted]);
      }
    });

    it('is removed, all that there are, and nothing else', () => {
      assert.equal(route.deleteDefaultRoute(family), false);
      for (const metric of ['5', '6'])
        ip(`-${family}`, 'route', 'add', 'default', 'via', gateways[0], 'metric', metric);
      route.addRoute({ dst: `${foreign}/${family === 4 ? 32 : 128}`, gateway: gateways[0] });
      assert.equal(defaults(family).length, 2);
      const others = route.routes().filter(({ dst }) => dst);
      assert.equal(route.deleteDefaultRoute(family), true);
      assert.deepEqual(route.routes(), others);
      assert.equal(route.deleteDefaultRoute(family), false);
    });

    it('is not changed by a gateway that is not on the link', () => {
      route.replaceDefaultRoute({ family, gateway: gateways[0] });
      assert.throws(() => route.replaceDefaultRoute({ family, gateway: foreign }));
      assert.equal(defaults(family)[0]?.gateway, gateways[0]);
    });
  });
}

describe('routes', () => {
  it('are removed as they were added; false when they are gone', () => {
    for (const spec of [
      { dst: '10.8.0.0/16', gateway: '10.7.0.1' },
      { dst: '10.8.0.0/16', dev: 'eth0' },
      { dst: 'fd08::/32', gateway: 'fd07::1' },
      { dst: 'fd08::/32', dev: 'eth0' },
      { gateway: '10.7.0.1' },
    ]) {
      const before = route.routes();
      route.addRoute(spec);
      assert.throws(
        () => route.addRoute(spec),
        (e) => isErrno(e, 'EEXIST'),
      );
      assert.equal(route.deleteRoute(spec), true);
      assert.equal(route.deleteRoute(spec), false);
      assert.deepEqual(route.routes(), before);
    }
    assert.throws(
      () => route.deleteRoute({ dst: '10.0.0.0/8', dev: 'none' }),
      (e) => isKind(e, 'not-found'),
    );
  });

  it('of another table are found there and not in the main one', () => {
    for (const table of [100, 70_000]) {
      const spec = { dst: '10.8.0.0/16', gateway: '10.7.0.1', table };
      const main = route.routes();
      route.addRoute(spec);
      const found: Route = {
        family: 4,
        dst: '10.8.0.0/16',
        gateway: '10.7.0.1',
        linkIndex: index(),
        table,
      };
      assert.deepEqual(route.routes(table), [found]);
      assert.deepEqual(route.routes(), main);
      assert.ok(route.routes('all').some((one) => one.table === table));
      assert.match(ip('route', 'show', 'table', `${table}`), /10\.8\.0\.0\/16 via 10\.7\.0\.1/);
      assert.equal(route.deleteRoute(spec), true);
    }
  });

  it('of type local are shown so by ip, and not among the unicast ones', () => {
    for (const [family, dst] of [
      ['-4', '0.0.0.0/0'],
      ['-6', '::/0'],
    ] as const) {
      const spec = { dst, dev: 'lo', table: 1000, type: 'local' } as const;
      route.addRoute(spec);
      assert.match(ip(family, 'route', 'show', 'table', '1000'), /^local default dev lo/);
      assert.deepEqual(route.routes(1000), []);
      assert.equal(route.deleteRoute(spec), true);
      assert.equal(route.deleteRoute(spec), false);
    }
  });
});

describe('rules', () => {
  for (const family of [4, 6] as const) {
    it(`of IPv${family} are added once and removed once`, () => {
      const rule = { family, mark: 0x10, mask: 0xf0, table: 1000, priority: 77 };
      const home = ip(`-${family}`, 'rule');
      route.addRule(rule);
      assert.match(ip(`-${family}`, 'rule'), /^77:\tfrom all fwmark 0x10\/0xf0 lookup 1000/m);
      assert.throws(
        () => route.addRule(rule),
        (e) => isKind(e, 'conflict'),
      );
      assert.equal(route.deleteRule({ ...rule, priority: 78 }), false);
      assert.equal(route.deleteRule(rule), true);
      assert.equal(route.deleteRule(rule), false);
      assert.equal(ip(`-${family}`, 'rule'), home);
    });
  }
});

it('addresses of both families are taken away; false when they are gone', () => {
  for (const cidr of ['10.7.0.2/24', 'fd07::2/64']) {
    assert.ok(route.addresses('eth0').some((one) => one.cidr === cidr));
    assert.equal(route.deleteAddress('eth0', cidr), true);
    assert.equal(route.deleteAddress('eth0', cidr), false);
    assert.ok(!route.addresses('eth0').some((one) => one.cidr === cidr));
  }
});
