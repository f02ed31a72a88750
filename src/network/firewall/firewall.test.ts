import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeKernel } from '../fake-kernel.ts';
import type { NftObject } from '../kernel.ts';
import { Firewall, forwardWarnings } from './firewall.ts';
import { markName, ruleCount } from './rules.ts';

const rules = { bridge: 'wharf0', subnet: '10.0.0.0/24' };
const port = {
  protocol: 'tcp' as const,
  containerPort: 80,
  hostIp: '0.0.0.0',
  hostPort: 8080,
  containerIp: '10.0.0.2',
};

/** A kernel whose table reads as given. */
function kernelWith(objects: NftObject[] | undefined): FakeKernel {
  const kernel = new FakeKernel();
  kernel.nftObjects = () => objects;
  return kernel;
}

/** nft's JSON of a sound table with these elements in the map of any address. */
function sound(elements: unknown[]): NftObject[] {
  return [
    { table: { family: 'ip', name: 'wharf' } },
    { chain: { name: markName(rules) } },
    { map: { name: 'published-any', elem: elements } },
    ...Array.from({ length: ruleCount(rules) }, () => ({ rule: { family: 'ip' } })),
  ];
}

const element = (hostPort: number) => [{ concat: ['tcp', hostPort] }, { concat: ['10.0.0.2', 80] }];

describe('the firewall', () => {
  it('leaves a sound table alone, and rebuilds any other in one script', () => {
    const whole = kernelWith(sound([element(8080)]));
    assert.equal(new Firewall(whole, 'wharf').ensure(rules, [port]), false);
    assert.deepEqual(whole.scripts, []);
    const missing = kernelWith(undefined);
    assert.equal(new Firewall(missing, 'wharf').ensure(rules, [port]), true);
    assert.equal(missing.scripts.length, 1);
    assert.match(missing.scripts[0]!, /^add table ip wharf\ndelete table ip wharf\n/);
  });

  it('names what differs', () => {
    const problems = (objects: NftObject[]) =>
      new Firewall(kernelWith(objects), 'wharf').problems(rules, [port]);
    assert.deepEqual(problems(sound([element(8080)])), []);
    assert.deepEqual(problems(sound([element(9)])), [
      'nft table ip wharf lacks published-any: tcp . 8080 → 10.0.0.2 . 80',
      'nft table ip wharf has a stray published-any: tcp . 9 → 10.0.0.2 . 80',
    ]);
    const fewer = sound([element(8080)]).slice(0, -1);
    assert.match(problems(fewer)[0] ?? '', /has 13 rules, not 14/);
    const other = sound([element(8080)]).filter(({ chain }) => !chain);
    assert.deepEqual(problems(other), ['nft table ip wharf was built from other rules']);
  });

  it('sends nothing for ports that are on paper only', () => {
    const kernel = kernelWith([]);
    new Firewall(kernel, 'wharf').add([{ ...port, hostIp: '::' }]);
    assert.deepEqual(kernel.scripts, []);
  });
});

describe('warnings of foreign rules', () => {
  const dropping = { family: 'ip', table: 'foreign', name: 'FORWARD', hook: 'forward', policy: 'drop' };
  const warningsOf = (foreign: NftObject[]) => {
    const kernel = new FakeKernel();
    kernel.foreign = foreign;
    return forwardWarnings(kernel, { table: 'wharf', bridge: 'wharf0' });
  };

  it('name the chain and the cure', () => {
    assert.match(warningsOf([{ chain: dropping }])[0] ?? '', /let its owner accept wharf0 in and out$/);
    const docker = [{ chain: dropping }, { chain: { ...dropping, name: 'DOCKER-USER', hook: '' } }];
    assert.match(warningsOf(docker)[0] ?? '', /iptables -I DOCKER-USER -i wharf0 -j ACCEPT/);
  });

  it('are silent where nothing is dropped, where it is ours, and where the bridge is let through', () => {
    assert.deepEqual(warningsOf([{ chain: { ...dropping, policy: 'accept' } }]), []);
    assert.deepEqual(warningsOf([{ chain: { ...dropping, hook: 'input' } }]), []);
    assert.deepEqual(warningsOf([{ chain: { ...dropping, family: 'ip6' } }]), []);
    assert.deepEqual(warningsOf([{ chain: { ...dropping, table: 'wharf' } }]), []);
    assert.deepEqual(
      warningsOf([{ chain: dropping }, { rule: { expr: [{ match: { right: 'wharf0' } }] } }]),
      [],
    );
  });
});
