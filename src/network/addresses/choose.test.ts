import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { networkConfig } from '../config.ts';
import { overlaps, parseRange } from './address.ts';
import { type ChoiceGround, choosePools, type PoolRequest } from './choose.ts';

const GROUND: ChoiceGround = {
  spaces: [
    { base: '172.17.0.0/16', size: 16 },
    { base: '192.168.0.0/16', size: 20 },
  ],
  ulaPrefix: 'fd12:3456:789a::/48',
  occupied: [],
  networks: [],
};

type Asked = NonNullable<PoolRequest['pools']>[number];

const choose = (request: PoolRequest, ground: Partial<ChoiceGround> = {}) =>
  choosePools(request, { ...GROUND, ...ground });
const one = (pool: Asked, more: PoolRequest = {}) => choose({ ...more, pools: [pool] })[0];

/** What the Engine 28.5.2 answers to one subnet, word by word. */
function refused(pool: Asked, ...problems: string[]): void {
  const list = problems.length > 1 ? problems.map((problem) => `* ${problem}`) : problems;
  const message = `invalid network config:\n${list.join('\n')}`;
  assert.throws(() => one(pool, { enableIPv6: true }), { kind: 'invalid', message });
}

describe('subnets that are asked for', () => {
  it('are refused in the Engine’s words where they are none', () => {
    refused({ subnet: 'foo' }, 'invalid subnet foo: invalid CIDR block notation');
    refused({ gateway: '10.211.0.1' }, 'invalid subnet : invalid CIDR block notation');
    refused({ subnet: '10.0.0.0/33' }, 'invalid subnet 10.0.0.0/33: invalid CIDR block notation');
    refused({ subnet: '10.0.0.5/24' }, 'invalid subnet 10.0.0.5/24: it should be 10.0.0.0/24');
    refused({ subnet: 'fd00::5/64' }, 'invalid subnet fd00::5/64: it should be fd00::/64');
    refused(
      { subnet: '::ffff:10.0.0.0/120' },
      'invalid subnet ::ffff:10.0.0.0/120: invalid CIDR block notation',
    );
  });

  it('are refused in the Engine’s words with a range, a gateway or an auxiliary address outside', () => {
    const subnet = '10.211.0.0/24';
    const outside = `parent subnet ${subnet} doesn't contain`;
    refused({ subnet, gateway: '10.211.1.1' }, `invalid gateway 10.211.1.1: ${outside} this address`);
    refused({ subnet, gateway: 'foo' }, 'invalid gateway foo: invalid address');
    refused({ subnet, gateway: '10.211.0.1/24' }, 'invalid gateway 10.211.0.1/24: invalid address');
    refused({ subnet, ipRange: '10.211.1.0/28' }, `invalid ip-range 10.211.1.0/28: ${outside} ip-range`);
    refused({ subnet, ipRange: 'foo' }, 'invalid ip-range foo: invalid CIDR block notation');
    refused({ subnet, ipRange: 'fd00::/120' }, 'invalid ip-range fd00::/120: parent subnet is an IPv4 block');
    refused(
      { subnet, ipRange: '10.211.0.0/16' },
      `invalid ip-range 10.211.0.0/16: CIDR block is bigger than its parent subnet ${subnet}`,
    );
    refused(
      { subnet, ipRange: '10.211.0.70/28' },
      'invalid ip-range 10.211.0.70/28: it should be 10.211.0.64/28',
    );
    refused(
      { subnet, auxiliary: { a: '10.211.1.1' } },
      `invalid auxiliary address a: ${outside} this address`,
    );
    refused({ subnet, auxiliary: { a: 'foo' } }, 'invalid auxiliary address a: invalid address');
  });

  it('are told all that is wrong at once', () => {
    refused(
      { subnet: '10.211.0.0/24', gateway: 'fd00::1', ipRange: 'x', auxiliary: { a: 'foo' } },
      'invalid ip-range x: invalid CIDR block notation',
      'invalid gateway fd00::1: parent subnet is an IPv4 block',
      'invalid auxiliary address a: invalid address',
    );
    refused(
      { subnet: '10.144.0.5/24', ipRange: '10.142.0.5/28', auxiliary: { a: '10.1.1.1' } },
      'invalid subnet 10.144.0.5/24: it should be 10.144.0.0/24',
      'invalid ip-range 10.142.0.5/28: it should be 10.142.0.0/28',
      "invalid ip-range 10.142.0.5/28: parent subnet 10.144.0.5/24 doesn't contain ip-range",
      "invalid auxiliary address a: parent subnet 10.144.0.5/24 doesn't contain this address",
    );
    refused(
      { subnet: '10.143.0.0/24', ipRange: '10.143.0.5/16' },
      'invalid ip-range 10.143.0.5/16: CIDR block is bigger than its parent subnet 10.143.0.0/24',
      'invalid ip-range 10.143.0.5/16: it should be 10.143.0.0/16',
    );
  });

  it('of a family that the network does not have are nobody’s concern', () => {
    const pools = choose({ pools: [{ subnet: 'fd00::5/64', gateway: 'x' }] });
    assert.deepEqual(pools, [{ subnet: '172.17.0.0/16', gateway: '172.17.0.1' }]);
    const six = choose({ enableIPv4: false, enableIPv6: true, pools: [{ subnet: '10.0.0.0/24' }] });
    assert.deepEqual(six, [{ subnet: 'fd12:3456:789a::/64', gateway: 'fd12:3456:789a::1' }]);
    assert.throws(() => choose({ enableIPv4: false }), {
      kind: 'invalid',
      message: 'IPv4 or IPv6 must be enabled',
    });
  });

  it('may not overlap another network, but may cover the host’s routes', () => {
    const networks = [{ pools: [{ subnet: '172.17.0.0/16', gateway: '172.17.0.1' }] }];
    const message = 'invalid pool request: Pool overlaps with other one on this address space';
    for (const subnet of ['172.17.3.0/24', '172.17.0.0/16', '0.0.0.0/0'])
      assert.throws(
        () => choose({ pools: [{ subnet }] }, { networks }),
        { kind: 'forbidden', message },
        subnet,
      );
    const twice = [{ subnet: '10.0.0.0/24' }, { subnet: '10.0.0.0/25' }];
    assert.throws(() => choose({ driver: 'macvlan', pools: twice }), { kind: 'forbidden', message });
    const [pool] = choose({ pools: [{ subnet: '192.0.2.0/25' }] }, { occupied: ['192.0.2.2/24'] });
    assert.equal(pool?.subnet, '192.0.2.0/25');
  });

  it('are one a family on a bridge, as many as wanted on others', () => {
    const pools = [{ subnet: '10.0.0.0/24' }, { subnet: '10.1.0.0/24' }];
    const message = "bridge driver doesn't support multiple subnets";
    assert.throws(() => choose({ pools }), { kind: 'forbidden', message });
    assert.deepEqual(choose({ driver: 'macvlan', pools }), [
      { subnet: '10.0.0.0/24', gateway: '10.0.0.1' },
      { subnet: '10.1.0.0/24', gateway: '10.1.0.1' },
    ]);
  });

  it('come from IPAM drivers that there are', () => {
    assert.equal(choose({ ipamDriver: 'default' }).length, 1);
    assert.throws(() => choose({ ipamDriver: 'foo' }), {
      kind: 'not-found',
      message: 'plugin "foo" not found',
    });
    assert.throws(() => choose({ ipamDriver: 'null' }), { kind: 'invalid', message: 'ipv4 pool is empty' });
  });
});

describe('the gateway', () => {
  it('is the first of the subnet or of the range', () => {
    const gateway = (pool: Asked) =>
      one(pool, { enableIPv6: true, enableIPv4: !pool.subnet?.includes(':') })?.gateway;
    assert.equal(gateway({ subnet: '10.0.0.0/24', ipRange: '10.0.0.64/28' }), '10.0.0.64');
    assert.equal(gateway({ subnet: '10.0.0.0/24', ipRange: '10.0.0.64/32' }), '10.0.0.64');
    assert.equal(gateway({ subnet: '10.0.0.0/24', ipRange: '10.0.0.0/28' }), '10.0.0.1');
    assert.equal(gateway({ subnet: '10.0.0.0/31' }), '10.0.0.0');
    assert.equal(gateway({ subnet: '10.0.0.0/32' }), '10.0.0.0');
    assert.equal(gateway({ subnet: 'fd00::/127' }), 'fd00::1');
    assert.equal(gateway({ subnet: 'FD00:0::/64', ipRange: 'fd00::8000/120' }), 'fd00::8000');
    assert.equal(gateway({ subnet: 'fd00:0::/64', gateway: 'fd00::0:9' }), 'fd00::9');
    assert.equal(
      gateway({ subnet: '10.0.0.0/24', ipRange: '10.0.0.64/28', gateway: '10.0.0.9' }),
      '10.0.0.9',
    );
  });

  it('is refused where it can’t be', () => {
    const fails = (pool: Asked, kind: string, message: string) =>
      assert.throws(() => one(pool, { enableIPv6: true }), { kind, message });
    for (const gateway of ['10.0.0.0', '10.0.0.255'])
      fails(
        { subnet: '10.0.0.0/24', gateway },
        'conflict',
        `failed to allocate gateway (${gateway}): Address already in use`,
      );
    fails(
      { subnet: 'fd00::/64', gateway: 'fd00::' },
      'conflict',
      'failed to allocate gateway (fd00::): Address already in use',
    );
    const none = 'failed to allocate gateway (): no available addresses on this pool';
    fails({ subnet: 'fd00::/128' }, 'exhausted', none);
    fails({ subnet: '10.0.0.0/24', ipRange: '10.0.0.0/32' }, 'exhausted', none);
    fails({ subnet: '10.0.0.0/24', ipRange: '10.0.0.255/32' }, 'exhausted', none);
  });

  it('goes before auxiliary addresses', () => {
    const [subnet, message] = ['10.0.0.0/24', 'failed to allocate secondary ip address'];
    for (const [name, address] of [
      ['a', '10.0.0.1'],
      ['b', '10.0.0.0'],
      ['c', '10.0.0.255'],
    ] as const)
      assert.throws(() => one({ subnet, auxiliary: { [name]: address } }), {
        kind: 'conflict',
        message: `${message} (${name}:${address}): Address already in use`,
      });
    assert.throws(() => one({ subnet, auxiliary: { a: '10.0.0.7', b: '10.0.0.7' } }), { kind: 'conflict' });
    assert.deepEqual(one({ subnet, auxiliary: { a: '10.0.0.7' } })?.auxiliary, { a: '10.0.0.7' });
  });

  it('is not chosen where a network has none', () => {
    assert.equal(one({ subnet: '10.0.0.0/24' }, { driver: 'macvlan', internal: true })?.gateway, '');
    assert.equal(one({ subnet: '10.0.0.0/24' }, { driver: 'macvlan' })?.gateway, '10.0.0.1');
    assert.equal(one({ subnet: '10.0.0.0/24' }, { internal: true })?.gateway, '10.0.0.1');
    const options = { 'com.docker.network.bridge.gateway_mode_ipv4': 'isolated' };
    assert.equal(one({ subnet: '10.0.0.0/24' }, { internal: true, options })?.gateway, '');
    assert.equal(one({ subnet: '10.0.0.0/24', gateway: '10.0.0.4' }, { options })?.gateway, '10.0.0.4');
  });
});

describe('subnets that are chosen', () => {
  it('lie around what the host and other networks use', () => {
    const subnet = (ground: Partial<ChoiceGround>) => choose({}, ground)[0]?.subnet;
    assert.equal(subnet({ occupied: ['172.16.0.0/12', '192.168.1.0/24'] }), '192.168.16.0/20');
    assert.equal(subnet({ occupied: ['172.17.255.1/32', '192.168.0.5/17'] }), '192.168.128.0/20');
    assert.equal(subnet({ occupied: ['0.0.0.0/1', '128.0.0.0/1', '::/0'] }), '172.17.0.0/16');
    assert.throws(() => subnet({ occupied: ['172.0.0.0/8', '192.0.0.0/8'] }), {
      kind: 'exhausted',
      message: 'all predefined address pools have been fully subnetted',
    });
  });

  it('are for 300 networks of both families on a host that nobody configured', () => {
    const spaces = networkConfig().defaultAddressPools;
    const networks: { pools: ReturnType<typeof choosePools> }[] = [];
    const occupied = ['172.20.5.0/24', '10.200.7.1/32', '192.168.0.0/24', 'fd12:3456:789a:7::/64'];
    for (let made = 0; made < 320; made++)
      networks.push({ pools: choose({ enableIPv6: true }, { spaces, networks, occupied }) });
    assert.deepEqual(
      networks[0]?.pools.map(({ subnet }) => subnet),
      ['172.17.0.0/16', 'fd12:3456:789a::/64'],
    );
    const ranges = [...networks.flatMap(({ pools }) => pools.map(({ subnet }) => subnet)), ...occupied].map(
      parseRange,
    );
    for (const [at, range] of ranges.entries())
      assert.ok(!ranges.slice(at + 1).some((other) => overlaps(range, other)));
  });

  it('of IPv6 come from the configured spaces where there are some', () => {
    const spaces = [...GROUND.spaces, { base: '2001:db8::/62', size: 64 }];
    const networks: { pools: ReturnType<typeof choosePools> }[] = [];
    const request = { enableIPv4: false, enableIPv6: true };
    for (let made = 0; made < 4; made++) networks.push({ pools: choose(request, { spaces, networks }) });
    assert.deepEqual(networks[3]?.pools, [{ subnet: '2001:db8:0:3::/64', gateway: '2001:db8:0:3::1' }]);
    assert.throws(() => choose(request, { spaces, networks }), { kind: 'exhausted' });
  });
});
