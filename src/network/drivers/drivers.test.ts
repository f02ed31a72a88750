import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type LogFields, newId, silentLog } from '../../base/index.ts';
import { type Database, openMemoryDatabase } from '../../meta/index.ts';
import { macOf } from '../addresses/address.ts';
import { addressOf, builtinNetworks } from '../builtin-networks.ts';
import { networkConfig } from '../config.ts';
import { FakeKernel } from '../fake-kernel.ts';
import { findNetwork } from '../lookup.ts';
import { openNetworkStack } from '../open.ts';
import { PortTable } from '../publish/publish.ts';
import type { NetworkRecord, SandboxRecord } from '../types.ts';
import { BridgeDriver, hostInterfaceOf } from './bridge.ts';
import { bareEndpoint, hostDriver, nullDriver, pinPath } from './driver.ts';

const config = networkConfig({ bip: '10.213.0.1/28', readySandboxes: 0 });
const networks = () => builtinNetworks([], config, () => [], false);

function bridgeDriver(kernel: FakeKernel, ready = 0) {
  const { bridge } = networks();
  return new BridgeDriver({
    kernel,
    network: bridge,
    config: { ...config, readySandboxes: ready },
    netnsDir: '/n',
    log: silentLog,
  });
}

const sandboxOf = (opened: ReturnType<BridgeDriver['open']>): SandboxRecord => ({
  ...opened,
  containerId: 'c',
  endpoints: [opened.endpoint],
  ports: [],
});

describe('the bridge driver', () => {
  it('names everything by the sandbox, so that it is found again', () => {
    const kernel = new FakeKernel();
    const { sandboxId, netnsPath, endpoint } = bridgeDriver(kernel).open({ network: 'bridge' });
    assert.equal(netnsPath, pinPath('/n', sandboxId));
    assert.equal(endpoint.hostInterface, hostInterfaceOf(sandboxId));
    assert.ok(endpoint.hostInterface.length <= 15);
    assert.deepEqual(
      [endpoint.ipv4, endpoint.ipv4PrefixLen, endpoint.ipv4Gateway],
      ['10.213.0.2', 28, '10.213.0.1'],
    );
    assert.equal(endpoint.macAddress, macOf(endpoint.ipv4));
    assert.ok(kernel.pins.has(netnsPath) && kernel.bridgePorts('wharf0').has(endpoint.hostInterface));
  });

  it('gives address and namespace back when a step of the kernel fails, and takes the same ones then', () => {
    const kernel = new FakeKernel();
    const driver = bridgeDriver(kernel);
    for (const call of ['createNamespace', 'plug']) {
      kernel.failing = call;
      for (let round = 0; round < 20; round++)
        assert.throws(() => driver.open({ network: 'bridge' }), /was made to fail/);
      kernel.failing = '';
      kernel.reap();
      assert.deepEqual([kernel.pins.size, kernel.bridgePorts('wharf0').size], [0, 0]);
      const opened = driver.open({ network: 'bridge' });
      assert.equal(opened.endpoint.ipv4, '10.213.0.2', call);
      driver.release(sandboxOf(opened));
      kernel.reap();
    }
  });

  it('puts an unused sandbox back for the next, but not one with an address of its own', () => {
    const kernel = new FakeKernel();
    const driver = bridgeDriver(kernel, 1);
    const first = driver.open({ network: 'bridge' });
    driver.cancel(first);
    assert.deepEqual(
      [driver.readyPins(), driver.readyLinks()],
      [[first.netnsPath], [first.endpoint.hostInterface]],
    );
    const own = driver.open({ network: 'bridge', macAddress: '02:AA:bb:00:00:01' });
    assert.deepEqual([own.sandboxId, own.endpoint.macAddress], [first.sandboxId, '02:aa:bb:00:00:01']);
    driver.cancel(own);
    assert.deepEqual([driver.readyPins(), kernel.pins.size], [[], 0]);
    driver.close();
  });

  it('restores what lives: attaches a loose link, and names what it cannot bring back', () => {
    const kernel = new FakeKernel();
    const sandbox = sandboxOf(bridgeDriver(kernel).open({ network: 'bridge' }));
    const { hostInterface } = sandbox.endpoints[0]!;
    const { bridge } = networks();
    sandbox.endpoints[0]!.networkId = bridge.id;
    const again = () => new BridgeDriver({ kernel, network: bridge, config, netnsDir: '/n', log: silentLog });
    assert.deepEqual(again().restore(sandbox), []);
    kernel.links.set(hostInterface, '');
    assert.deepEqual(again().restore(sandbox), []);
    assert.ok(kernel.bridgePorts('wharf0').has(hostInterface));
    kernel.links.delete(hostInterface);
    kernel.pins.clear();
    assert.deepEqual(again().restore(sandbox), [
      `namespace ${sandbox.netnsPath} is gone`,
      `link ${hostInterface} is gone`,
    ]);
    const driver = again();
    driver.restore(sandbox);
    const other = { ...sandbox, endpoints: [{ ...sandbox.endpoints[0]!, hostInterface: 'wvother' }] };
    assert.match(driver.restore(other)[0] ?? '', /^address 10\.213\.0\.2 is not free in 10\.213\.0\.0\/28$/);
    assert.deepEqual(driver.restore({ ...sandbox, endpoints: [] }), []);
  });
});

describe('the other drivers', () => {
  it('none makes a namespace of its own for each, and drops it', () => {
    const kernel = new FakeKernel();
    const driver = nullDriver(kernel, networks().none, '/n');
    const [one, two] = [driver.open({ network: 'none' }), driver.open({ network: 'none' })];
    assert.equal(kernel.pins.size, 2);
    driver.cancel(one);
    assert.deepEqual(driver.restore(sandboxOf(two)), []);
    driver.release(sandboxOf(two));
    assert.equal(kernel.pins.size, 0);
    assert.deepEqual(driver.restore(sandboxOf(two)), [`namespace ${two.netnsPath} is gone`]);
    assert.deepEqual(driver.readyPins(), []);
  });

  it('host pins once, gives the same path to all, and takes it away at the end alone', () => {
    const kernel = new FakeKernel();
    const driver = hostDriver(kernel, networks().host, '/n');
    assert.deepEqual(driver.readyPins(), []);
    const [one, two] = [driver.open({ network: 'host' }), driver.open({ network: 'host' })];
    assert.deepEqual([one.netnsPath, two.netnsPath], ['/n/default', '/n/default']);
    driver.cancel(one);
    driver.release(sandboxOf(two));
    assert.deepEqual(driver.readyPins(), ['/n/default']);
    kernel.pins.clear();
    assert.deepEqual(driver.restore(sandboxOf(two)), []);
    assert.ok(kernel.isPinned('/n/default'), 'pinned again for a container that lives');
    driver.close();
    assert.equal(kernel.pins.size, 0);
  });

  it('an endpoint without an interface says so in every field', () => {
    const { none } = networks();
    const { endpointId, ...rest } = bareEndpoint(none);
    assert.match(endpointId, /^[0-9a-f]{64}$/);
    const empty = {
      macAddress: '',
      ipv4: '',
      ipv4PrefixLen: 0,
      ipv4Gateway: '',
      interfaceName: '',
      hostInterface: '',
    };
    assert.deepEqual(rest, { networkId: none.id, networkName: 'none', ...empty });
  });
});

describe('networks', () => {
  const record = (id: string, name: string): NetworkRecord => ({ ...networks().none, id, name });

  it('are found by id before name before prefix, and a prefix of two is none', () => {
    const all = [record('aaa111', 'one'), record('aaa222', 'aaa111'), record('bbb', 'aaa')];
    assert.equal(findNetwork(all, 'aaa111').name, 'one', 'an id beats the same text as a name');
    assert.equal(findNetwork(all, 'aaa').id, 'bbb', 'a name beats a prefix');
    assert.equal(findNetwork(all, 'aaa2').name, 'aaa111');
    assert.throws(() => findNetwork(all, 'aa'), {
      kind: 'invalid',
      message: 'network aa is ambiguous (2 matches found based on ID prefix)',
    });
    for (const ref of ['', 'ccc', 'aaa1111'])
      assert.throws(() => findNetwork(all, ref), { kind: 'not-found' }, ref);
  });

  it('built in are made once; the subnet stays until it may change', () => {
    let asked = 0;
    const occupied = () => {
      asked += 1;
      return [];
    };
    const open = networkConfig({ readySandboxes: 0 });
    const first = builtinNetworks([], open, occupied, false);
    assert.deepEqual(first.bridge.pools, [{ subnet: '172.17.0.0/16', gateway: '172.17.0.1' }]);
    const again = builtinNetworks(Object.values(first), open, occupied, false);
    assert.deepEqual([again, asked], [first, 1]);
    const moved = networkConfig({ bip: '10.9.8.7/24' });
    assert.deepEqual(
      builtinNetworks(Object.values(first), moved, occupied, true).bridge.pools,
      first.bridge.pools,
    );
    const free = builtinNetworks(Object.values(first), moved, occupied, false);
    assert.deepEqual(free.bridge.pools, [{ subnet: '10.9.8.0/24', gateway: '10.9.8.7' }]);
    assert.equal(addressOf(free.bridge.pools[0]!), '10.9.8.7/24');
    assert.equal(free.bridge.id, first.bridge.id);
    assert.equal(free.bridge.options['com.docker.network.bridge.name'], 'wharf0');
  });

  it('take from a configuration what fits, to the last bit', () => {
    const pools = (base: string, size: number) => networkConfig({ defaultAddressPools: [{ base, size }] });
    for (const [base, size] of [
      ['10.0.0.0/8', 8],
      ['10.0.0.0/8', 30],
      ['10.0.0.0/30', 30],
    ] as const)
      assert.doesNotThrow(() => pools(base, size));
    for (const [base, size] of [
      ['10.0.0.0/8', 7],
      ['10.0.0.0/8', 31],
      ['10.0.0.0', 8],
      ['fd00::/8', 64],
    ] as const)
      assert.throws(() => pools(base, size), { kind: 'invalid' });
    for (const good of [
      { bridge: 'a' },
      { bridge: 'abcdefghijklmno' },
      { mtu: 68 },
      { mtu: 65535 },
      { nftTable: 'a_b-c' },
    ])
      assert.doesNotThrow(() => networkConfig(good));
    for (const bad of [
      { bridge: '' },
      { bridge: '0a' },
      { bridge: 'a/b' },
      { bridge: 'abcdefghijklmnop' },
      { mtu: 67 },
      { mtu: 65536 },
      { nftTable: '' },
      { nftTable: 'a;b' },
    ])
      assert.throws(() => networkConfig(bad), { kind: 'invalid' }, JSON.stringify(bad));
  });
});

describe('recovery', () => {
  let execRoot: string;
  let database: Database;
  let kernel: FakeKernel;
  let logged: [string, LogFields | undefined][];

  beforeEach(() => {
    execRoot = mkdtempSync(join(tmpdir(), 'wharf-recovery-'));
    database = openMemoryDatabase();
    kernel = new FakeKernel();
    logged = [];
  });
  afterEach(() => {
    database[Symbol.dispose]();
    rmSync(execRoot, { recursive: true });
  });

  const open = () => {
    const note = (message: string, fields?: LogFields) => void logged.push([message, fields]);
    return openNetworkStack({
      database,
      execRoot,
      kernel,
      log: { ...silentLog, warn: note, info: note },
      config: { bip: '10.213.0.1/28', readySandboxes: 0 },
      ports: new PortTable({ hostBinding: '0.0.0.0', hold: async () => ({ close() {} }), ipv6: false }),
    });
  };
  const bridge = { endpoints: [{ network: 'bridge' }], ports: [] };

  it('drops pins and links that nobody knows, and leaves what others attached to the bridge', async () => {
    const stack = open();
    await stack.recover(new Set());
    const { netnsPath, endpoints } = await stack.createSandbox({ containerId: 'live', ...bridge });
    const stray = join(execRoot, 'netns', newId().slice(0, 12));
    writeFileSync(stray, '');
    kernel.pins.set(stray, []);
    kernel.links.set('wvdeadbeef', 'wharf0').set('tap0', 'wharf0').set('wvelsewhere', 'br-other');
    const next = open();
    await next.recover(new Set(['live']));
    assert.deepEqual([...kernel.pins.keys()], [netnsPath]);
    assert.deepEqual([...kernel.bridgePorts('wharf0')].sort(), ['tap0', endpoints[0]!.hostInterface].sort());
    assert.ok(kernel.hasLink('wvelsewhere'));
  });

  it('says what it had to do: forwarding, foreign rules, a broken sandbox, one that goes', async () => {
    const first = open();
    await first.recover(new Set());
    await first.createSandbox({ containerId: 'broken', ...bridge });
    await first.createSandbox({ containerId: 'dead', ...bridge });
    kernel.pins.clear();
    kernel.forwarding = false;
    const dropping = { family: 'ip', table: 'foreign', name: 'FORWARD', hook: 'forward', policy: 'drop' };
    kernel.foreign = [{ chain: dropping }];
    logged = [];
    const next = open();
    await next.recover(new Set(['broken']));
    const text = logged.map(([message, fields]) => `${message} ${JSON.stringify(fields ?? {})}`).join('\n');
    assert.match(text, /no longer runs dropped.*"dead"/);
    assert.match(text, /is not whole.*"broken".*namespace .* is gone/);
    assert.match(text, /IPv4 forwarding was off/);
    assert.match(text, /chain ip foreign FORWARD drops forwarded packets/);
    assert.deepEqual(next.warnings().length, 1);
    assert.deepEqual(
      next.sandboxes().map(({ containerId }) => containerId),
      ['broken'],
    );
  });

  it('twice is once, and a sandbox whose record was lost is seen by verify', async () => {
    const stack = open();
    await stack.recover(new Set());
    const box = await stack.createSandbox({ containerId: 'live', ...bridge });
    await stack.recover(new Set(['live']));
    await stack.recover(new Set(['live']));
    assert.deepEqual(stack.sandboxOf('live'), box);
    const stored = database.collection<SandboxRecord>({
      name: 'sandboxes',
      key: ({ sandboxId }) => sandboxId,
      indexes: { container: { of: ({ containerId }) => containerId } },
    });
    stored.delete(box.sandboxId);
    stored.put({ ...box, sandboxId: 'unknown' });
    const problems = (await stack.verify()).join('\n');
    assert.match(problems, new RegExp(`sandbox ${box.sandboxId} is not recorded`));
    assert.match(problems, /sandbox unknown is recorded and not known/);
  });
});
