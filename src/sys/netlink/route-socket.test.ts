import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import { isKind } from '../../base/index.ts';
import { isErrno } from '../errno.ts';
import { O } from '../fd.ts';
import { createNetns, deleteNetns } from '../namespace.ts';
import { openat2 } from '../openat2.ts';
import { RouteSocket } from './route-socket.ts';

// All takes place between two namespaces of the test's own; the host's links are never touched.
let base: string;
let pins: string[];
let host: RouteSocket;
let inside: RouteSocket;

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'wharf-route-'));
  pins = ['host', 'inside'].map((name) => join(base, name));
  for (const pin of pins) createNetns(pin);
  [host, inside] = pins.map((pin) => RouteSocket.open(pin)) as [RouteSocket, RouteSocket];
});
afterEach(() => {
  host.close();
  inside.close();
  for (const pin of pins) deleteNetns(pin);
  rmSync(base, { recursive: true, force: true });
});

function addPair(name = 'veth0', peerName = 'eth0'): void {
  using peerNetns = openat2('/', pins[1] as string, { flags: O.RDONLY });
  host.addVethPair({
    name,
    peerName,
    peerNetns,
    mtu: 1400,
    mac: '02:42:00:00:00:01',
    peerMac: '02:42:ac:11:00:02',
  });
}

it('makes a veth with its peer in place', () => {
  addPair();
  const [outer, peer] = [host.link('veth0'), inside.link('eth0')];
  assert.deepEqual(
    [outer?.kind, outer?.mtu, outer?.mac, outer?.up],
    ['veth', 1400, '02:42:00:00:00:01', false],
  );
  assert.deepEqual([peer?.mtu, peer?.mac, peer?.peerIndex], [1400, '02:42:ac:11:00:02', outer?.index]);
  assert.equal(host.link('eth0'), undefined);
});

it('makes a pair in one namespace when none is given for the peer', () => {
  host.addVethPair({ name: 'a', peerName: 'b' });
  assert.ok(host.link('b'));
});

it('joins ports to a bridge, with hairpin, and reaches running', () => {
  host.addBridge('br0', { mtu: 1400 });
  addPair();
  host.setMaster('veth0', 'br0');
  host.setHairpin('veth0', true);
  host.setUp('veth0');
  host.setUp('br0');
  inside.setUp('eth0');
  assert.equal(host.link('veth0')?.master, host.link('br0')?.index);
  assert.equal(host.link('br0')?.kind, 'bridge');
  assert.ok(host.link('veth0')?.running);
  host.setMaster('veth0', 0);
  assert.equal(host.link('veth0')?.master, undefined);
});

it('sets addresses and routes of both families', () => {
  addPair();
  host.setUp('veth0');
  inside.setUp('eth0');
  inside.addAddress('eth0', '172.30.0.2/16');
  inside.addAddress('eth0', 'fd00:5::2/64');
  inside.addRoute({ gateway: '172.30.0.1' });
  inside.addRoute({ dst: '10.9.0.0/24', dev: 'eth0' });
  inside.addRoute({ gateway: 'fd00:5::1', dev: 'eth0' });
  const index = inside.link('eth0')?.index as number;
  const cidrs = inside.addresses('eth0').map(({ cidr }) => cidr);
  assert.ok(cidrs.includes('172.30.0.2/16') && cidrs.includes('fd00:5::2/64'));
  assert.ok(inside.addresses().some(({ cidr }) => cidr === '127.0.0.1/8'));
  const routes = inside.routes();
  for (const wanted of [
    { family: 4, gateway: '172.30.0.1', linkIndex: index },
    { family: 4, dst: '10.9.0.0/24', linkIndex: index },
    { family: 6, gateway: 'fd00:5::1', linkIndex: index },
  ]) {
    assert.ok(
      routes.some((route) => JSON.stringify(sorted(route)) === JSON.stringify(sorted(wanted))),
      JSON.stringify(routes),
    );
  }
});

function sorted(object: object): [string, unknown][] {
  return Object.entries(object).sort(([a], [b]) => a.localeCompare(b));
}

it('changes mac and mtu, by name and by index', () => {
  addPair();
  host.setMac('veth0', '02:00:00:00:00:99');
  host.setMtu(host.link('veth0')?.index as number, 1300);
  assert.deepEqual([host.link('veth0')?.mac, host.link('veth0')?.mtu], ['02:00:00:00:00:99', 1300]);
});

it('counts traffic', () => {
  addPair();
  const stats = host.linkStats('veth0');
  assert.deepEqual([stats?.rxBytes, stats?.txErrors], [0, 0]);
  assert.equal(host.linkStats('none'), undefined);
});

it('deletes a pair with either end, and says when there was none', () => {
  addPair();
  assert.equal(inside.deleteLink('eth0'), true);
  assert.equal(host.link('veth0'), undefined);
  assert.equal(host.deleteLink('veth0'), false);
});

it('lists hundreds of links, more than one datagram holds', () => {
  for (let at = 0; at < 60; at++) host.addVethPair({ name: `v${at}`, peerName: `p${at}` });
  assert.equal(host.links().length, 121);
});

it('gives the errno and the words of the kernel, and serves the next call', () => {
  addPair();
  assert.throws(
    () => host.addBridge('veth0'),
    (e) => isKind(e, 'conflict') && isErrno(e, 'EEXIST'),
  );
  assert.throws(
    () => host.setUp('none'),
    (e) => isErrno(e, 'ENODEV'),
  );
  assert.throws(
    () => host.setMaster('veth0', 'none'),
    (e) => isKind(e, 'not-found'),
  );
  assert.throws(() => inside.addRoute({ gateway: '192.0.2.1' }), /Nexthop has invalid gateway|unreachable/);
  for (const name of ['', 'much-too-long-name', 'a b', 'a/b', 'a\0b']) {
    assert.throws(
      () => host.addBridge(name),
      (e) => isKind(e, 'invalid'),
    );
  }
  assert.ok(host.link('lo'));
});
