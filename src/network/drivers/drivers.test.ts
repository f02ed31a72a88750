import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { FakeKernel } from '../fake-kernel.ts';
import type { EndpointRecord, NetworkKind, NetworkRecord } from '../types.ts';
import { bridgeDriver, bridgeRules } from './bridge.ts';
import { bridgeOptions } from './options.ts';
import { ipvlanDriver, isLayer3, macvlanDriver, parentOf } from './parented.ts';
import type { NetworkDriver } from './types.ts';

const config = { mtu: 1500, publishPolicy: 'open', hostBinding: '0.0.0.0' } as const;
const PIN = '/n/one';

function network(driver: NetworkKind, options: Record<string, string> = {}): NetworkRecord {
  const made = {
    id: '0123456789abcdef',
    name: 'n',
    driver,
    options,
    createdAt: '',
    labels: {},
    internal: false,
  };
  const pools = [{ subnet: '10.9.0.0/24', gateway: '10.9.0.1' }];
  return { ...made, enableIPv4: true, enableIPv6: false, pools };
}

function endpointOf(driver: NetworkDriver, on: NetworkRecord): EndpointRecord {
  const plan = driver.plan(on, 'sandbox', 'fedcba9876543210', '10.9.0.2');
  const addresses = { ipv4: '10.9.0.2', ipv4PrefixLen: 24, ipv4Gateway: '10.9.0.1' };
  const names = {
    endpointId: 'fedcba9876543210',
    networkId: on.id,
    networkName: on.name,
    interfaceName: 'eth0',
  };
  return { ...names, ...addresses, ...plan };
}

let kernel: FakeKernel;

beforeEach(() => {
  kernel = new FakeKernel();
  kernel.namespaces.create(PIN);
});

describe('the bridge driver', () => {
  it('makes, repairs and removes its bridge, but not one that was there before', () => {
    const driver = bridgeDriver(kernel, config);
    const on = driver.complete(network('bridge'));
    assert.deepEqual(driver.problems(on), ['bridge wh-0123456789ab is missing']);
    driver.ensure(on);
    driver.ensure(on);
    assert.deepEqual([driver.problems(on), driver.link(on)], [[], 'wh-0123456789ab']);
    assert.deepEqual(kernel.hostLinks.get('wh-0123456789ab')?.cidrs, ['10.9.0.1/24']);
    kernel.hostLinks.get('wh-0123456789ab')?.cidrs.push('192.0.2.1/24');
    driver.remove({ ...on, foreignLink: true, foreignAddresses: ['192.0.2.1/24'] });
    assert.deepEqual(kernel.addressesOf('wh-0123456789ab'), ['192.0.2.1/24'], 'it has what it had before');
    driver.remove(on);
    assert.equal(kernel.hasLink('wh-0123456789ab'), false);
  });

  it('gives the bridge no address where it is no gateway', () => {
    const driver = bridgeDriver(kernel, config);
    for (const options of [
      { 'com.docker.network.bridge.inhibit_ipv4': 'true' },
      { 'com.docker.network.bridge.gateway_mode_ipv4': 'isolated' },
    ] as Record<string, string>[]) {
      driver.ensure({ ...network('bridge', options), internal: true });
      assert.deepEqual(kernel.hostLinks.get('wh-0123456789ab')?.cidrs, []);
      kernel.deleteLink('wh-0123456789ab');
    }
  });

  it('refuses names that no link can have, and links of another kind', () => {
    const driver = bridgeDriver(kernel, config);
    const named = (name: string) => network('bridge', { 'com.docker.network.bridge.name': name });
    assert.throws(() => driver.complete(named('a/b')), { message: 'invalid argument' });
    kernel.addLink('eth9', 'veth');
    assert.throws(() => driver.ensure(named('eth9')), { message: 'existing interface eth9 is not a bridge' });
  });

  it('plugs an endpoint in, takes it out, and brings a loose one back', () => {
    const driver = bridgeDriver(kernel, config);
    const on = network('bridge', { 'com.docker.network.bridge.enable_icc': 'false' });
    driver.ensure(on);
    const endpoint = endpointOf(driver, on);
    assert.deepEqual([endpoint.hostInterface, endpoint.macAddress], ['wvfedcba98', '02:42:0a:09:00:02']);
    driver.attach(on, endpoint, PIN);
    const plugged = kernel.namespace(PIN).interfaces.get('eth0') as unknown as Record<string, unknown>;
    assert.deepEqual(
      [plugged['cidrs'], plugged['isolated'], plugged['ipv6'], plugged['mtu']],
      [['10.9.0.2/24'], true, false, 1500],
    );
    assert.equal(driver.gone('wvfedcba98'), false);
    Object.assign(kernel.hostLinks.get('wvfedcba98') ?? {}, { bridge: undefined });
    assert.deepEqual(driver.restore(on, endpoint), []);
    assert.ok(kernel.isPort('wvfedcba98', 'wh-0123456789ab'));
    driver.detach(on, endpoint, PIN);
    assert.deepEqual([driver.gone('wvfedcba98'), kernel.namespace(PIN).interfaces.size], [true, 0]);
    assert.deepEqual(driver.restore(on, endpoint), ['link wvfedcba98 is gone']);
  });

  it('derives a hardware address from the endpoint where there is no IPv4 address', () => {
    const driver = bridgeDriver(kernel, config);
    const mac = (endpoint: string) => driver.plan(network('bridge'), 's', endpoint, '').macAddress;
    assert.match(mac('one'), /^02(:[0-9a-f]{2}){5}$/);
    assert.equal(mac('one'), mac('one'));
    assert.notEqual(mac('one'), mac('two'));
  });
});

describe('drivers on a parent', () => {
  it('take modes and flags that exist', () => {
    const [macvlan, ipvlan] = [macvlanDriver(kernel), ipvlanDriver(kernel)];
    for (const mode of ['bridge', 'vepa', 'passthru', 'private', ''])
      assert.doesNotThrow(() => macvlan.complete(network('macvlan', { macvlan_mode: mode })));
    for (const mode of ['l2', 'l3', 'l3s'])
      assert.doesNotThrow(() =>
        ipvlan.complete(network('ipvlan', { ipvlan_mode: mode, ipvlan_flag: 'vepa' })),
      );
    for (const [driver, options, message] of [
      [
        macvlan,
        { macvlan_mode: 'foo' },
        "requested macvlan mode 'foo' is not valid, 'bridge' mode is the macvlan driver default",
      ],
      [
        ipvlan,
        { ipvlan_mode: 'foo' },
        "requested ipvlan mode 'foo' is not valid, 'l2' mode is the ipvlan driver default",
      ],
      [
        ipvlan,
        { ipvlan_flag: 'foo' },
        "requested ipvlan flag 'foo' is not valid, 'bridge' is the ipvlan driver default",
      ],
      [macvlan, { parent: 'lo' }, 'loopback interface is not a valid macvlan parent link'],
    ] as [NetworkDriver, Record<string, string>, string][])
      assert.throws(() => driver.complete(network('macvlan', options)), { kind: 'invalid', message });
    assert.deepEqual(
      ['l2', 'l3', 'l3s'].map((mode) => isLayer3(network('ipvlan', { ipvlan_mode: mode }))),
      [false, true, true],
    );
  });

  it('find their parent, make a VLAN of it or a dead end, and remove only what they made', () => {
    const driver = macvlanDriver(kernel);
    kernel.addLink('eth9', 'veth');
    const on = (parent?: string) => network('macvlan', parent ? { parent } : {});
    for (const [parent, message] of [
      ['nosuch', 'invalid subinterface vlan name nosuch, example formatting is eth0.10'],
      ['eth9.x', 'unable to parse a valid vlan id from: x (ex. eth0.10 for vlan 10)'],
      ['eth9.4095', 'vlan id must be between 1-4094, received: 4095'],
      ['eth9.0', 'vlan id must be between 1-4094, received: 0'],
      ['nosuch.10', '-o parent interface was not found on the host: nosuch'],
    ] as const)
      assert.throws(() => driver.ensure(on(parent)), { kind: 'invalid', message });
    for (const [parent, link] of [
      ['eth9.10', 'eth9.10'],
      [undefined, 'dm-0123456789ab'],
    ] as const) {
      driver.ensure(on(parent));
      driver.ensure(on(parent));
      assert.equal(parentOf(on(parent)), link);
      assert.ok(kernel.hasLink(link));
      driver.remove({ ...on(parent), foreignLink: true });
      assert.ok(kernel.hasLink(link));
      driver.remove(on(parent));
      assert.deepEqual(driver.problems(on(parent)), [`parent ${link} of network n is missing`]);
    }
    driver.ensure(on('eth9'));
    driver.remove(on('eth9'));
    assert.ok(kernel.hasLink('eth9'), 'hardware of the host');
    assert.equal(parentOf(network('ipvlan')), 'di-0123456789ab');
  });

  it('make nothing where the kernel has no such interfaces', () => {
    for (const [kind, driver] of [
      ['macvlan', macvlanDriver(kernel)],
      ['ipvlan', ipvlanDriver(kernel)],
    ] as const) {
      kernel.lacking.add(kind);
      const links = [...kernel.hostLinks.keys()];
      assert.throws(() => driver.ensure(network(kind)), { kind: 'not-implemented' });
      assert.deepEqual([...kernel.hostLinks.keys()], links);
      kernel.lacking.clear();
      driver.ensure(network(kind));
      assert.equal(kernel.hostLinks.size, links.length + 1);
    }
  });

  it('tell the rules of a bridge whether its containers are apart', () => {
    const rules = (icc: string) => {
      const on = network('bridge', { 'com.docker.network.bridge.enable_icc': icc });
      return bridgeRules(on, bridgeOptions(on, config)).icc;
    };
    assert.deepEqual([rules('true'), rules('false')], [undefined, false]);
  });

  it('plug an interface in and take it out, with nothing on the host', () => {
    kernel.addLink('eth9', 'veth');
    for (const [driver, options, mac] of [
      [macvlanDriver(kernel), { parent: 'eth9', macvlan_mode: 'vepa' }, '02:42:0a:09:00:02'],
      [ipvlanDriver(kernel), { parent: 'eth9', ipvlan_mode: 'l3', ipvlan_flag: 'private' }, ''],
    ] as [NetworkDriver, Record<string, string>, string][]) {
      const on = network(mac ? 'macvlan' : 'ipvlan', options);
      const endpoint = endpointOf(driver, on);
      assert.deepEqual([endpoint.hostInterface, endpoint.macAddress], ['', mac]);
      driver.attach(on, endpoint, PIN);
      const plan = kernel.namespace(PIN).interfaces.get('eth0') as unknown as Record<string, unknown>;
      const seen = [plan['kind'], plan['mode'], plan['flag'], plan['parent'], plan['mtu'], plan['mac']];
      const wanted = mac ? ['macvlan', 'vepa', undefined] : ['ipvlan', 'l3', 'private'];
      assert.deepEqual(seen, [...wanted, 'eth9', 0, mac]);
      assert.deepEqual([driver.restore(on, endpoint), driver.gone('')], [[], true]);
      driver.detach(on, endpoint, PIN);
      assert.equal(kernel.namespace(PIN).interfaces.size, 0);
    }
  });
});
