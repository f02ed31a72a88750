import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NftObject } from '../kernel.ts';
import type { BridgeRules } from './types.ts';
import { forwardWarnings } from './warnings.ts';

const ipv4 = { subnets: ['10.0.0.0/24'], mode: 'nat' as const, masquerade: true };
const bridge = (name: string, over: Partial<BridgeRules> = {}): BridgeRules => ({
  bridge: name,
  internal: false,
  trustedInterfaces: [],
  ipv4,
  ...over,
});

function warningsOf(foreign: NftObject[], bridges = [bridge('wharf0')], bridged: (4 | 6)[] = []): string[] {
  const kernel = { nftObjects: () => foreign };
  return forwardWarnings(kernel, { table: 'wharf', bridges }, (family) => bridged.includes(family));
}

const dropping = { family: 'ip', table: 'filter', name: 'FORWARD', hook: 'forward', policy: 'drop' };
const named = (name: string) => ({ rule: { chain: 'FORWARD', expr: [{ match: { right: name } }] } });
const chain = (name: string) => ({ chain: { family: 'ip', table: 'filter', name } });

describe('warnings of foreign rules', () => {
  it('name the chain, the bridges and what follows', () => {
    assert.deepEqual(warningsOf([{ chain: dropping }]), [
      'WARNING: chain ip filter FORWARD drops forwarded packets by policy: containers on wharf0 reach the host, and ' +
        'nothing beyond it; let its owner accept wharf0 in and out',
    ]);
    const many = ['a', 'b', 'c', 'd', 'e'].map((name) => bridge(name));
    assert.match(
      warningsOf([{ chain: dropping }], many)[0] ?? '',
      /on a, b, c and 2 more reach.*accept them in/,
    );
  });

  it('tell the way out where the owner is known', () => {
    const docker = [{ chain: dropping }, chain('DOCKER-USER')];
    assert.match(
      warningsOf(docker)[0] ?? '',
      /; allow all of them, and those to come: iptables -I DOCKER-USER -i wh\+ -j ACCEPT; iptables -I DOCKER-USER -o wh\+ -j ACCEPT$/,
    );
    assert.deepEqual(warningsOf([...docker, named('wh*')]), [], 'which is enough');
    const own = warningsOf(docker, [bridge('lab0')])[0] ?? '';
    assert.match(own, /; allow it: iptables -I DOCKER-USER -i lab0 -j ACCEPT/, 'a name that somebody chose');
    const two = [bridge('a'), bridge('b')];
    assert.match(warningsOf(docker, two)[0] ?? '', /allow each: iptables -I DOCKER-USER -i BRIDGE -j ACCEPT/);
    assert.match(
      warningsOf([{ chain: dropping }, chain('ufw-before-forward')])[0] ?? '',
      /; allow it: ufw route allow in on wharf0; ufw route allow out on wharf0$/,
    );
    const six = { ...dropping, family: 'ip6' };
    const dual = [bridge('wharf0', { ipv6: { ...ipv4, subnets: ['fd00::/64'] } })];
    assert.match(
      warningsOf([{ chain: six }, chain('DOCKER-USER')], dual)[0] ?? '',
      /ip6tables -I DOCKER-USER/,
    );
  });

  it('see a last rule for all that is left, as firewalld has it', () => {
    const firewalld = { ...dropping, family: 'inet', table: 'firewalld', policy: 'accept' };
    const rule = (...expr: object[]) => ({ rule: { chain: 'FORWARD', expr } });
    const reject = rule({ counter: {} }, { reject: { type: 'icmpx' } });
    assert.match(
      warningsOf([{ chain: firewalld }, rule({ match: {} }, { accept: null }), reject])[0] ?? '',
      /by its last rule: .*firewall-cmd --permanent --zone=trusted --add-interface=wharf0; firewall-cmd --reload$/,
    );
    assert.deepEqual(warningsOf([{ chain: firewalld }, rule({ match: {} }, { drop: null })]), []);
    assert.deepEqual(warningsOf([{ chain: firewalld }, reject, rule({ accept: null })]), []);
  });

  it('are silent where nothing is dropped, where it is ours, and where no packet of ours passes', () => {
    assert.deepEqual(warningsOf([{ chain: { ...dropping, policy: 'accept' } }]), []);
    assert.deepEqual(warningsOf([{ chain: { ...dropping, hook: 'input' } }]), []);
    assert.deepEqual(warningsOf([{ chain: { ...dropping, family: 'ip6' } }]), []);
    assert.deepEqual(warningsOf([{ chain: { ...dropping, family: 'bridge' } }]), []);
    assert.deepEqual(warningsOf([{ chain: { ...dropping, table: 'wharf' } }]), []);
    assert.deepEqual(warningsOf([{ chain: dropping }], [bridge('wharf0', { internal: true })]), []);
    assert.deepEqual(warningsOf([{ chain: dropping }], []), []);
  });

  it('say that not even containers of one bridge reach each other where its frames pass the hook', () => {
    const inner = bridge('inner0', { internal: true });
    const both = [bridge('wharf0'), inner];
    const reach = (bridged: (4 | 6)[], family = 'ip') =>
      warningsOf([{ chain: { ...dropping, family } }], both, bridged).map(
        (text) => / on (.*?);/.exec(text)?.[1],
      );
    const alone = 'wharf0 reach the host, and nothing beyond it';
    assert.deepEqual(reach([]), [alone]);
    assert.deepEqual(reach([6]), [alone], 'of the other family');
    const all = 'wharf0, inner0 reach the host, and nothing beyond it, not even each other';
    assert.deepEqual(reach([4]), [all]);
    assert.deepEqual(reach([4], 'inet'), [all]);
    assert.deepEqual(reach([6], 'ip6'), [], 'neither has IPv6');
  });

  it('are silent about bridges that are let through, by name or by wildcard', () => {
    assert.deepEqual(warningsOf([{ chain: dropping }, named('wharf0')]), []);
    const both = [bridge('br-1'), bridge('wharf0')];
    assert.deepEqual(warningsOf([{ chain: dropping }, named('br-*'), named('wharf0')], both), []);
    assert.match(
      warningsOf([{ chain: dropping }, named('br-*')], both)[0] ?? '',
      /containers on wharf0 reach/,
    );
  });
});
