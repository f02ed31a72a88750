// Run by packets.test.ts in a network namespace of its own, which stands for the host.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { silentLog } from '../base/index.ts';
import { openMemoryDatabase } from '../meta/index.ts';
import {
  deleteConnections,
  deleteNetns,
  type Fd,
  nftJson,
  openSocket,
  RouteSocket,
  receiveDatagrams,
  sendDatagrams,
} from '../sys/index.ts';
import { openNetworkStack } from './open.ts';
import { fetchFrom, makeLan, serve, stopServing } from './packets-lab.ts';
import type { HostNetworkStack } from './stack.ts';
import type { EndpointRequest, NetworkRequest, PortRequest, SandboxRecord } from './types.ts';

const dir = mkdtempSync(join(tmpdir(), 'wharf-packets-'));
const lan = join(dir, 'lan');
const database = openMemoryDatabase();
const config = { bridge: 'wpu0', nftTable: 'wharf-user', bip: '10.213.0.1/24', readySandboxes: 2 };
let stack: HostNetworkStack;
/** Milliseconds by which the stack's clock goes before. */
let ahead = 0;

const tcp = (containerPort: number, hostPort: number): PortRequest => ({
  protocol: 'tcp',
  containerPort,
  hostPort,
  hostIp: '',
});

/** A container that serves its name on ports 80 and 81. */
async function container(name: string, networks: (string | EndpointRequest)[], ports: PortRequest[] = []) {
  const endpoints = networks.map((network) => (typeof network === 'string' ? { network } : network));
  const box = await stack.createSandbox({ containerId: name, containerName: name, endpoints, ports });
  for (const port of [80, 81]) await serve(box.netnsPath, port, name);
  return box;
}

/** Whether the kernel follows a connection of that address. */
function isTracked(ip: string): boolean {
  let found = false;
  deleteConnections(4, ({ source }) => {
    found ||= source === ip;
    return false;
  });
  return found;
}

const four = (box: SandboxRecord, at = 0) => box.endpoints[at]?.ipv4 ?? '';
const six = (box: SandboxRecord, at = 0) => box.endpoints[at]?.ipv6 ?? '';

/** True when the work came out within the time; looks again and again, since what it waits for is another's doing. */
async function within(ms: number, work: () => Promise<boolean>): Promise<boolean> {
  for (const end = performance.now() + ms; performance.now() < end; await wait(50))
    if (await work()) return true;
  return false;
}

before(async () => {
  makeLan(lan);
  await serve(lan, 90, 'lan');
  const clock = { monotonic: () => performance.now() + ahead };
  stack = openNetworkStack({ database, execRoot: dir, config, log: silentLog, clock });
  await stack.recover(new Set());
});

after(async () => {
  stopServing();
  for (const box of stack.sandboxes()) await stack.removeSandbox(box.sandboxId);
  await stack.close({ removeKernelObjects: true });
  deleteNetns(lan);
  rmSync(dir, { recursive: true });
});

describe('packets between networks of users', () => {
  let one: SandboxRecord;
  let two: SandboxRecord;
  let other: SandboxRecord;
  let plain: SandboxRecord;

  before(async () => {
    await stack.create({ name: 'front', enableIPv6: true });
    await stack.create({ name: 'back', enableIPv6: true });
    one = await container('one', ['front'], [tcp(80, 8080)]);
    two = await container('two', ['front']);
    other = await container('other', ['back']);
    plain = await container('plain', ['bridge']);
  });

  it('go among the containers of one network, over both families', async () => {
    assert.equal(await fetchFrom(two.netnsPath, four(one), 81), `one ${four(two)}`);
    assert.equal(await fetchFrom(two.netnsPath, six(one), 81), `one ${six(two)}`);
  });

  it('do not go from one network to another', async () => {
    for (const from of [other, plain])
      for (const address of [four(one), six(one)])
        assert.equal(await fetchFrom(from.netnsPath, address, 81), '', `${from.containerId} to ${address}`);
    assert.equal(await fetchFrom(one.netnsPath, four(plain), 81), '');
  });

  it('go out, behind the address of the host', async () => {
    assert.equal(await fetchFrom(one.netnsPath, '192.0.2.9', 90), 'lan 192.0.2.1');
    assert.equal(await fetchFrom(one.netnsPath, '2001:db8::9', 90), 'lan 2001:db8::1');
  });

  it('come to published ports over both families, with the client’s address, and to no other port', async () => {
    assert.equal(await fetchFrom(lan, '192.0.2.1', 8080), 'one 192.0.2.9');
    assert.equal(await fetchFrom(lan, '2001:db8::1', 8080), 'one 2001:db8::9');
    for (const address of [four(one), six(one)]) assert.equal(await fetchFrom(lan, address, 81), '', address);
    assert.equal(await fetchFrom(undefined, '127.0.0.1', 8080).then((text) => text.split(' ')[0]), 'one');
    assert.equal(await fetchFrom(undefined, '::1', 8080).then((text) => text.split(' ')[0]), 'one');
    assert.match(await fetchFrom(undefined, six(one), 81), /^one /, 'the host reaches every port');
  });

  it('follow a container that joins a network and leaves it while it runs', async () => {
    const joined = await stack.connect(other.sandboxId, { network: 'front' });
    assert.equal(await fetchFrom(two.netnsPath, four(joined, 1), 81), `other ${four(two)}`);
    assert.equal(await fetchFrom(joined.netnsPath, six(one), 81), `one ${six(joined, 1)}`);
    await stack.disconnect(other.sandboxId, stack.get('front').id);
    assert.equal(await fetchFrom(two.netnsPath, four(joined, 1), 81), '');
    assert.equal(await fetchFrom(other.netnsPath, four(one), 81), '');
    assert.equal(await fetchFrom(other.netnsPath, '192.0.2.9', 90), 'lan 192.0.2.1', 'its own way out stays');
  });

  it('do not get out of internal networks by the sockets that hold ports', async () => {
    await stack.create({
      name: 'obeying',
      enableIPv6: true,
      options: { 'wharf.publish-policy': 'obey' },
    });
    await stack.create({ name: 'inner', enableIPv6: true, internal: true });
    await container('obedient', ['obeying'], [tcp(80, 8070)]);
    const inner = await container('inner', ['inner']);
    const bridge = `wh-${stack.get('inner').id.slice(0, 12)}`;
    using host = RouteSocket.open();
    const gateways = host.addresses(bridge).map(({ cidr }) => cidr.split('/')[0]!);
    assert.equal(gateways.length, 3, 'one of IPv4, one of IPv6, and a link-local one');
    for (const gateway of gateways) {
      const local = gateway.startsWith('fe80');
      const ip = local ? `${gateway}%eth0` : gateway;
      assert.match(
        await fetchFrom(undefined, local ? `${gateway}%${bridge}` : gateway, 8070),
        /^obedient /,
        `${gateway} has the port`,
      );
      assert.equal(await fetchFrom(inner.netnsPath, ip, 8070), '', `${gateway}:8070, which obeys`);
      assert.equal(await fetchFrom(inner.netnsPath, ip, 8080), '', `${gateway}:8080, which is open`);
    }
    assert.equal(await fetchFrom(lan, '192.0.2.1', 8070), 'obedient 192.0.2.9');
    for (const name of ['obedient', 'inner']) await stack.removeSandbox(stack.sandboxOf(name)!.sandboxId);
    for (const name of ['obeying', 'inner']) await stack.remove(name);
  });

  it('of a former container never reach the one that gets its address', async () => {
    const start = (containerId: string) =>
      stack.createSandbox({ containerId, endpoints: [{ network: 'front', ipv4: four(former) }], ports: [] });
    const former = await stack.createSandbox({
      containerId: 'former',
      endpoints: [{ network: 'front' }],
      ports: [],
    });
    const bind = { ip: four(former), port: 5000 };
    const socket = (netns: string, more: Partial<Parameters<typeof openSocket>[0]>) =>
      openSocket({ family: 4, type: 'dgram', netns, ...more });
    using neighbour = socket(lan, { bind: { ip: '192.0.2.9', port: 7000 } });
    const speaker = socket(former.netnsPath, { bind, connect: { ip: '192.0.2.9', port: 7000 } });
    sendDatagrams(speaker, [{ data: Buffer.from('hello') }]);
    let peer: Buffer | undefined;
    await within(4000, async () => {
      receiveDatagrams(neighbour, (_data, from) => {
        peer = Buffer.from(from);
      });
      return peer !== undefined;
    });
    const heardBy = (who: Fd) =>
      within(2500, async () => {
        sendDatagrams(neighbour, [{ data: Buffer.from('still there?'), peer: peer! }]);
        return receiveDatagrams(who, () => {}) > 0;
      });
    assert.ok(await heardBy(speaker), 'the neighbour answers through the host');
    speaker.close();
    await stack.removeSandbox(former.sandboxId);
    assert.ok(
      await within(4000, async () => !isTracked(four(former))),
      'forgotten before the address has rested',
    );
    ahead += 10_000;
    const next = await start('next');
    assert.equal(four(next), four(former));
    using listener = socket(next.netnsPath, { bind });
    assert.equal(await heardBy(listener), false);
    await stack.removeSandbox(next.sandboxId);
  });

  it('come to published ports wherever the default route is', async () => {
    const moved = await stack.connect(one.sandboxId, { network: 'back', gwPriority: 1 });
    assert.deepEqual(await stack.verify(), []);
    assert.equal(await fetchFrom(lan, '192.0.2.1', 8080), 'one 192.0.2.9');
    assert.equal(await fetchFrom(lan, '2001:db8::1', 8080), 'one 2001:db8::9');
    assert.equal(await fetchFrom(moved.netnsPath, '192.0.2.9', 90), 'lan 192.0.2.1');
    await stack.disconnect(one.sandboxId, stack.get('back').id);
    assert.equal(await fetchFrom(lan, '192.0.2.1', 8080), 'one 192.0.2.9');
    assert.deepEqual(await stack.verify(), []);
  });

  it('are back within two seconds after an outsider deleted a bridge, moved a link or flushed the rules', async () => {
    const works = async () =>
      (await fetchFrom(lan, '192.0.2.1', 8080)) === 'one 192.0.2.9' &&
      (await fetchFrom(two.netnsPath, six(one), 81)) === `one ${six(two)}`;
    const { hostInterface } = one.endpoints[0]!;
    using host = RouteSocket.open();
    const bridge = `wh-${stack.get('front').id.slice(0, 12)}`;
    for (const [what, harm] of [
      ['bridge deleted', () => host.deleteLink(bridge)],
      ['bridge down', () => host.setDown(bridge)],
      ['link loose', () => host.setMaster(hostInterface, 0)],
      ['link deleted', () => host.deleteLink(hostInterface)],
      // By another process: the daemon's own changes are no outsider's.
      ['rules flushed', () => void execFileSync('nft', ['flush', 'ruleset'])],
    ] as const) {
      harm();
      await wait(0);
      assert.ok(await within(4000, works), what);
      assert.deepEqual(await stack.verify(), [], what);
    }
  });
});

describe('packets of networks with options', () => {
  const make = (name: string, request: Omit<NetworkRequest, 'name'>) => stack.create({ name, ...request });

  it('stay inside internal networks', async () => {
    await make('inside', { internal: true, enableIPv6: true });
    const [a, b] = [await container('a', ['inside']), await container('b', ['inside'])];
    assert.equal(await fetchFrom(b.netnsPath, four(a), 80), `a ${four(b)}`);
    assert.equal(await fetchFrom(b.netnsPath, six(a), 80), `a ${six(b)}`);
    for (const address of ['192.0.2.9', '2001:db8::9'])
      assert.equal(await fetchFrom(a.netnsPath, address, 90), '');
    for (const address of [four(a), six(a)]) assert.equal(await fetchFrom(lan, address, 80), '');
  });

  it('do not go between containers without icc; the host reaches them', async () => {
    await make('apart', { options: { 'com.docker.network.bridge.enable_icc': 'false' } });
    const [a, b] = [await container('c', ['apart']), await container('d', ['apart'])];
    assert.equal(await fetchFrom(b.netnsPath, four(a), 80), '');
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      using inside = RouteSocket.open(from.netnsPath);
      inside.addRoute({ dst: `${four(to)}/32`, gateway: from.endpoints[0]!.ipv4Gateway });
    }
    assert.equal(await fetchFrom(b.netnsPath, four(a), 80), '', 'nor by way of the host');
    assert.match(await fetchFrom(undefined, four(a), 80), /^c /);
    assert.equal(await fetchFrom(a.netnsPath, '192.0.2.9', 90), 'lan 192.0.2.1');
  });

  it('come to published ports of routed networks at the containers’ own addresses', async () => {
    const options = {
      'com.docker.network.bridge.gateway_mode_ipv4': 'routed',
      'com.docker.network.bridge.gateway_mode_ipv6': 'routed',
    };
    await make('routed', { enableIPv6: true, options });
    const box = await container('r', ['routed'], [tcp(80, 8090)]);
    for (const address of [four(box), six(box)]) {
      assert.match(await fetchFrom(lan, address, 80), /^r (192\.0\.2\.9|2001:db8::9)$/);
      assert.equal(await fetchFrom(lan, address, 81), '', 'not published');
    }
    assert.equal(await fetchFrom(lan, '192.0.2.1', 8090), '', 'no port of the host');
    assert.equal(await fetchFrom(box.netnsPath, '192.0.2.9', 90), `lan ${four(box)}`, 'not hidden');
  });

  it('go over IPv6 alone where there is nothing else', async () => {
    await make('six', { enableIPv4: false, enableIPv6: true });
    const [a, b] = [await container('s', ['six'], [tcp(80, 8091)]), await container('t', ['six'])];
    assert.equal(await fetchFrom(b.netnsPath, six(a), 80), `s ${six(b)}`);
    assert.equal(await fetchFrom(lan, '2001:db8::1', 8091), 's 2001:db8::9');
    assert.equal(await fetchFrom(a.netnsPath, '2001:db8::9', 90), 'lan 2001:db8::1');
  });

  it('go between a macvlan and the neighbours of the LAN, with nothing of the host between', async () => {
    const options = { parent: 'lan0' };
    await make('wire', {
      driver: 'macvlan',
      options,
      pools: [{ subnet: '192.0.2.0/24', gateway: '192.0.2.9' }],
    });
    const [a, b] = [
      await container('m', [{ network: 'wire', ipv4: '192.0.2.50' }]),
      await container('n', [{ network: 'wire', ipv4: '192.0.2.51' }]),
    ];
    assert.equal(await fetchFrom(lan, '192.0.2.50', 81), 'm 192.0.2.9');
    assert.equal(await fetchFrom(a.netnsPath, '192.0.2.9', 90), 'lan 192.0.2.50');
    assert.equal(await fetchFrom(b.netnsPath, '192.0.2.50', 80), 'm 192.0.2.51');
    const more = await stack.connect(two().sandboxId, { network: 'wire', ipv4: '192.0.2.52' });
    assert.equal(await fetchFrom(lan, '192.0.2.52', 81), 'two 192.0.2.9');
    await stack.disconnect(more.sandboxId, stack.get('wire').id);
    assert.equal(await fetchFrom(lan, '192.0.2.52', 81), '');
  });

  it('go over ipvlan, VLANs and links that lead nowhere, where the kernel has them', async (t) => {
    const requests: NetworkRequest[] = [
      { name: 'ipv', driver: 'ipvlan', options: { parent: 'lan0', ipvlan_mode: 'l2' } },
      { name: 'tagged', driver: 'macvlan', options: { parent: 'lan0.10' } },
      { name: 'island', driver: 'macvlan', internal: true },
    ];
    for (const request of requests) {
      const before = stack.list().length;
      try {
        await stack.create({ ...request, pools: [{ subnet: '198.51.100.0/24' }] });
        const one = await container(request.name, [request.name]);
        const other = await container(`${request.name}-2`, [request.name]);
        assert.equal(await fetchFrom(other.netnsPath, four(one), 80), `${request.name} ${four(other)}`);
      } catch (thrown) {
        assert.match(String(thrown), /the kernel may lack the module (ipvlan|vlan|dummy)/);
        t.diagnostic(`no packets over ${request.driver} on ${request.options?.parent}: ${thrown}`);
        assert.equal(stack.sandboxOf(request.name), undefined);
      }
      if (stack.list().length > before && !stack.sandboxOf(request.name)) await stack.remove(request.name);
    }
    assert.deepEqual(await stack.verify(), []);
  });

  const two = () => stack.sandboxOf('two')!;
});

it('leaves nothing of hundreds of joins and leaves', async () => {
  await stack.create({ name: 'cycle', enableIPv6: true });
  const box = await container('cycler', ['front'], [tcp(80, 8095)]);
  const counted = () => {
    using host = RouteSocket.open();
    using inside = RouteSocket.open(box.netnsPath);
    const table = JSON.stringify(nftJson(`list table inet ${config.nftTable}`));
    return {
      links: host.links().length,
      inside: inside.links().length,
      addresses: inside.addresses().length,
      routes: inside.routes().length,
      elements: table.length,
      mounts: readFileSync('/proc/self/mountinfo', 'latin1').split(dir).length,
      pins: readdirSync(join(dir, 'netns')).length,
      descriptors: readdirSync('/proc/self/fd').length,
    };
  };
  const cycle = async (at: number) => {
    await stack.connect(box.sandboxId, { network: 'cycle', gwPriority: at % 2 });
    await stack.disconnect(box.sandboxId, stack.get('cycle').id);
  };
  for (let at = 0; at < 10; at++) await cycle(at);
  await wait(300);
  const before = counted();
  for (let at = 0; at < 300; at++) await cycle(at);
  await wait(300);
  assert.deepEqual(counted(), before);
  assert.deepEqual(await stack.verify(), []);
});
