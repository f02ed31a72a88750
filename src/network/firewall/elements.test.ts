import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../../base/index.ts';
import { type Elements, elementCommands, elementsOf, elementText, listedElements } from './elements.ts';
import type { BridgeRules, GatewayMode, PortTarget } from './types.ts';

const texts = (elements: Elements) => [...elements.values()].map(elementText);

function bridge(over: Partial<BridgeRules> = {}, mode: GatewayMode = 'nat'): BridgeRules {
  const ipv4 = { subnets: ['10.0.0.0/24'], mode, masquerade: true };
  return { bridge: 'br0', internal: false, trustedInterfaces: [], ipv4, ...over };
}

const network = (over?: Partial<BridgeRules>, mode?: GatewayMode) =>
  texts(elementsOf({ bridges: [bridge(over, mode)] }));

const port: PortTarget = {
  protocol: 'tcp',
  containerPort: 80,
  hostIp: '0.0.0.0',
  hostPort: 8080,
  containerIp: '10.0.0.2',
  bridge: 'br0',
  mode: 'nat',
};

describe('elements of networks', () => {
  const inside = ['bridges: br0', 'pairs: br0 . br0', 'inside4: br0 . 10.0.0.0/24'];

  it('hide the subnet where the mode is nat and masquerading is on', () => {
    assert.deepEqual(network(), [...inside, 'masquerade4: ipv4 . 10.0.0.0/24']);
    const off = { subnets: ['10.0.0.0/24'], mode: 'nat' as const, masquerade: false };
    assert.deepEqual(network({ ipv4: off }), inside);
  });

  it('follow the gateway mode', () => {
    assert.deepEqual(network({}, 'routed'), [...inside, 'routed: ipv4 . br0']);
    const direct = ['masquerade4: ipv4 . 10.0.0.0/24', 'unprotected: ipv4 . br0'];
    assert.deepEqual(network({}, 'nat-unprotected'), [...inside, ...direct]);
    const sealed = network({ internal: true }, 'isolated');
    assert.deepEqual(sealed.slice().sort(), ['internal: br0', 'isolated: ipv4 . br0', ...inside].sort());
  });

  it('let trusted interfaces in, but not to internal networks', () => {
    assert.ok(network({ trustedInterfaces: ['eth1'] }).includes('pairs: eth1 . br0'));
    const internal = network({ trustedInterfaces: ['eth1'], internal: true });
    assert.deepEqual(
      internal.filter((text) => text.startsWith('pairs')),
      ['pairs: br0 . br0'],
    );
    assert.ok(!network({ icc: false }).includes('pairs: br0 . br0'));
  });

  it('treat both families apart, in the short spelling', () => {
    const ipv6 = { subnets: ['FD00:0:0:1::/64'], mode: 'routed' as const, masquerade: true };
    assert.deepEqual(network({ ipv6 }).slice(-2), ['inside6: br0 . fd00:0:0:1::/64', 'routed: ipv6 . br0']);
  });

  it('refuse names that are more than names', () => {
    for (const name of ['br*', 'a" . "lo', '', 'a b', 'sixteen-letters-', 'br0;', 'br0\n'])
      assert.throws(
        () => network({ bridge: name }),
        (thrown) => isKind(thrown, 'invalid'),
        name,
      );
    assert.throws(() => network({ trustedInterfaces: ['"*'] }), /cannot be the name of a network interface/);
  });
});

describe('elements of ports', () => {
  const of = (over: Partial<PortTarget>) => texts(elementsOf({ ports: [{ ...port, ...over }] }));

  it('are one of every address, or of one', () => {
    assert.deepEqual(of({}), ['published-any4: tcp . 8080 → 10.0.0.2 . 80']);
    assert.deepEqual(of({ hostIp: '127.0.0.1', protocol: 'sctp' }), [
      'published4: 127.0.0.1 . sctp . 8080 → 10.0.0.2 . 80',
    ]);
    assert.deepEqual(of({ hostIp: '::', containerIp: 'fd00::2' }), [
      'published-any6: tcp . 8080 → fd00::2 . 80',
    ]);
    assert.deepEqual(of({ hostIp: '2001:DB8:0::1', containerIp: 'fd00:0::2', protocol: 'udp' }), [
      'published6: 2001:db8::1 . udp . 8080 → fd00::2 . 80',
    ]);
  });

  it('open the container’s own port on routed networks, once', () => {
    const twice = [port, { ...port, hostPort: 8081 }].map((each) => ({ ...each, mode: 'routed' as const }));
    assert.deepEqual(texts(elementsOf({ ports: twice })), ['open-ports4: 10.0.0.2 . tcp . 80']);
    assert.deepEqual(of({ mode: 'routed', hostIp: '::', containerIp: 'fd00::2' }), [
      'open-ports6: fd00::2 . tcp . 80',
    ]);
  });
});

describe('commands and listings', () => {
  it('put all elements of a set into one command, names quoted', () => {
    const state = {
      bridges: [bridge({ trustedInterfaces: ['eth1'] })],
      ports: [port, { ...port, hostPort: 9 }],
    };
    assert.equal(
      elementCommands('add', 't', elementsOf(state)),
      'add element inet t bridges { "br0" }\n' +
        'add element inet t pairs { "br0" . "br0", "eth1" . "br0" }\n' +
        'add element inet t inside4 { "br0" . 10.0.0.0/24 }\n' +
        'add element inet t masquerade4 { ipv4 . 10.0.0.0/24 }\n' +
        'add element inet t published-any4 { tcp . 8080 : 10.0.0.2 . 80, tcp . 9 : 10.0.0.2 . 80 }\n',
    );
    assert.equal(elementCommands('delete', 't', elementsOf({})), '');
  });

  it('read what nft lists, and nothing of other sets', () => {
    const subnet = { prefix: { addr: '10.0.0.0', len: 24 } };
    const pair = [{ concat: ['tcp', 8080] }, { concat: ['10.0.0.2', 80] }];
    const listed = listedElements([
      { set: { name: 'bridges', elem: ['br0'] } },
      { set: { name: 'inside4', elem: [{ concat: ['br0', subnet] }, { concat: ['br0', '10.1.0.1'] }] } },
      { map: { name: 'published-any4', elem: [pair] } },
      { set: { name: 'internal' } },
      { set: { name: 'foreign', elem: ['x'] } },
      { set: { name: 'routed', elem: [{ concat: ['ipv4', { range: [1, 2] }] }] } },
    ]);
    assert.deepEqual(listed, [
      'bridges: br0',
      'inside4: br0 . 10.0.0.0/24',
      'inside4: br0 . 10.1.0.1',
      'published-any4: tcp . 8080 → 10.0.0.2 . 80',
      'routed: ipv4 . {"range":[1,2]}',
    ]);
  });
});
