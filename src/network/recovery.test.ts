import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { addressBytes } from '../sys/index.ts';
import { fakeHost } from './fake-stack.ts';

const bridge = { endpoints: [{ network: 'bridge' }], ports: [] };
const ports = [{ protocol: 'tcp' as const, containerPort: 80, hostIp: '', hostPort: 8080 }];

function given(t: TestContext) {
  const host = fakeHost();
  t.after(() => host.remove());
  return host;
}

/** The 48 bits that a host's unique local addresses begin with (RFC 4193 section 3.1), however they are abbreviated. */
function globalId(subnet = ''): string {
  return addressBytes(subnet.replace(/\/.*/, '')).subarray(0, 6).toString('hex');
}

describe('recovery', () => {
  it('drops pins and links that nobody knows, and leaves what others attached to the bridge', async (t) => {
    const host = given(t);
    const stack = await host.start();
    const { netnsPath, endpoints } = await stack.createSandbox({ containerId: 'live', ...bridge });
    const stray = join(host.execRoot, 'netns', '0123456789ab');
    host.kernel.namespaces.create(stray);
    host.kernel.addLink('wvdeadbeef', 'veth', 'wharf0');
    host.kernel.addLink('tap0', 'tun', 'wharf0');
    host.kernel.addLink('br-other', 'bridge');
    host.kernel.addLink('wv00000000', 'veth', 'br-other');
    await host.start(['live']);
    assert.deepEqual([...host.kernel.pins.keys()], [netnsPath]);
    const left = [...host.kernel.hostLinks.keys()].sort();
    assert.deepEqual(left, ['br-other', 'tap0', 'wharf0', 'wv00000000', endpoints[0]!.hostInterface].sort());
  });

  it('says what it had to do: forwarding, foreign rules, a broken sandbox, one that goes', async (t) => {
    const host = given(t);
    const first = await host.start();
    await first.createSandbox({ containerId: 'broken', ...bridge });
    await first.createSandbox({ containerId: 'dead', ...bridge });
    host.kernel.pins.clear();
    host.kernel.forwarding.clear();
    const dropping = { family: 'ip', table: 'foreign', name: 'FORWARD', hook: 'forward', policy: 'drop' };
    host.kernel.foreign = [{ chain: dropping }];
    host.logged.length = 0;
    const next = await host.start(['broken']);
    const text = host.logged
      .map(([message, fields]) => `${message} ${JSON.stringify(fields ?? {})}`)
      .join('\n');
    assert.match(text, /no longer runs dropped.*"dead"/);
    assert.match(text, /is not whole.*"broken".*namespace .* is gone/);
    assert.match(text, /IPv4 forwarding was off/);
    assert.doesNotMatch(text, /IPv6 forwarding/, 'no network has it');
    assert.match(text, /chain ip foreign FORWARD drops forwarded packets/);
    assert.equal(next.warnings().length, 1);
    assert.deepEqual(
      next.sandboxes().map(({ containerId }) => containerId),
      ['broken'],
    );
  });

  it('leaves forwarding alone where it may not turn it on, and turns IPv6 on with the first network that has it', async (t) => {
    const host = given(t);
    host.kernel.forwarding.clear();
    const shy = await host.start([], { ipForward: false });
    await shy.create({ name: 'six', enableIPv6: true });
    assert.equal(host.kernel.forwarding.size, 0);
    await shy.remove('six');
    const stack = await host.start();
    assert.deepEqual([...host.kernel.forwarding], [4]);
    await stack.create({ name: 'inside', enableIPv6: true, internal: true });
    assert.deepEqual([...host.kernel.forwarding], [4]);
    await stack.create({ name: 'six', enableIPv6: true });
    assert.deepEqual([...host.kernel.forwarding], [4, 6]);
    assert.ok(host.logged.some(([message]) => /^IPv6 forwarding was off/.test(message)));
  });

  it('brings interfaces back that are gone from a namespace that lives, with their routes', async (t) => {
    const host = given(t);
    host.kernel.addLink('lan0', 'veth');
    const stack = await host.start();
    await stack.create({ name: 'wire', driver: 'macvlan', options: { parent: 'lan0' } });
    const endpoints = [{ network: 'bridge', gwPriority: 1 }, { network: 'wire' }];
    const box = await stack.createSandbox({ containerId: 'live', endpoints, ports });
    const inside = host.kernel.namespace(box.netnsPath);
    host.kernel.deleteLink(box.endpoints[0]!.hostInterface);
    host.kernel.namespaces.unplug(box.netnsPath, 'eth1');
    inside.routes.clear();
    const next = await host.start(['live']);
    assert.deepEqual([...inside.interfaces.keys()].sort(), ['eth0', 'eth1']);
    assert.equal(inside.routes.get(4)?.dev, 'eth0');
    assert.deepEqual(await next.verify(), []);
    assert.deepEqual([...host.held].sort(), ['0.0.0.0:8080/tcp', ':::8080/tcp']);
  });

  it('names what cannot be brought back', async (t) => {
    const host = given(t);
    const stack = await host.start();
    const box = await stack.createSandbox({ containerId: 'live', ...bridge });
    host.kernel.deleteLink(box.endpoints[0]!.hostInterface);
    host.kernel.failing = 'plug';
    host.names.failing = true;
    await host.start(['live']);
    const problems = host.logged.map(([, fields]) => fields?.['problem']).join('\n');
    assert.match(problems, /link wv\w{8} is gone/);
    assert.match(problems, /interface eth0 \(wv\w{8}\) could not be made again: plug was made to fail/);
    assert.match(problems, /names are not answered: names were made to fail/);
  });

  it('goes on without a network that can not be made, but not without the default one', async (t) => {
    const host = given(t);
    const stack = await host.start();
    await stack.create({ name: 'mine', options: { 'com.docker.network.bridge.name': 'mine0' } });
    host.kernel.hostLinks.delete('mine0');
    host.kernel.addLink('mine0', 'vlan');
    const next = await host.start();
    assert.ok(host.logged.some(([message]) => message === 'a network could not be made'));
    assert.equal(next.get('mine').name, 'mine');
    host.kernel.failing = 'ensureBridge';
    await assert.rejects(host.open().recover(new Set()), /made to fail/);
  });

  it('twice is once', async (t) => {
    const host = given(t);
    const stack = await host.start();
    const box = await stack.createSandbox({ containerId: 'live', ...bridge });
    await stack.recover(new Set(['live']));
    await stack.recover(new Set(['live']));
    assert.deepEqual(stack.sandboxOf('live'), box);
    assert.deepEqual(await stack.verify(), []);
  });

  it('keeps the host’s addresses: chosen once, and not those of another network of its own', async (t) => {
    const host = given(t);
    const stack = await host.start([], { bip: '' });
    const prefix = (await stack.create({ name: 'six', enableIPv6: true })).pools[1]?.subnet;
    const next = await host.start([], { bip: '' });
    const other = (await next.create({ name: 'seven', enableIPv6: true })).pools[1]?.subnet;
    assert.equal(globalId(other), globalId(prefix));
    const pools = next.list().flatMap((network) => network.pools.map(({ subnet }) => subnet));
    assert.equal(new Set(pools).size, pools.length);
  });
});

describe('an outsider’s doing', () => {
  it('is put right soon after the kernel tells of a change', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const host = given(t);
    const stack = await host.start();
    await stack.create({ name: 'mine', options: { 'com.docker.network.bridge.name': 'mine0' } });
    const endpoints = [{ network: 'bridge' }, { network: 'mine' }];
    const box = await stack.createSandbox({ containerId: 'live', endpoints, ports });
    const [one, two] = box.endpoints.map(({ hostInterface }) => hostInterface) as [string, string];
    const { kernel } = host;
    for (const harm of [
      () => kernel.hostLinks.delete('mine0'),
      () => void Object.assign(kernel.hostLinks.get('wharf0') ?? {}, { up: false }),
      () => kernel.attach(one, 'mine0'),
      () => kernel.deleteLink(two),
    ]) {
      harm();
      assert.notDeepEqual(await stack.verify(), []);
      kernel.tell();
      kernel.tell();
      t.mock.timers.tick(500);
      assert.deepEqual(await stack.verify(), []);
    }
    assert.ok(
      host.logged.some(([, fields]) => fields?.['problem'] === 'bridge mine0 of network mine was gone'),
    );
    assert.ok(host.firewall.flush(), 'and the rules');
    await stack.close({ removeKernelObjects: false });
    assert.equal(host.firewall.flush(), false, 'nobody watches after the end');
    kernel.hostLinks.delete('mine0');
    kernel.tell();
    t.mock.timers.tick(500);
    assert.equal(kernel.hasLink('mine0'), false);
  });

  it('spoils what was kept ready: it is made anew', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const host = given(t);
    const stack = await host.start([], { readySandboxes: 1 });
    for (let at = 0; at < 5; at++) t.mock.timers.tick(100);
    host.kernel.hostLinks.delete('wharf0');
    host.kernel.tell();
    for (let at = 0; at < 10; at++) t.mock.timers.tick(100);
    const box = await stack.createSandbox({ containerId: 'next', ...bridge });
    assert.ok(host.kernel.isPort(box.endpoints[0]!.hostInterface, 'wharf0'));
    writeFileSync(join(host.execRoot, 'netns', 'other'), '');
    assert.match((await stack.verify()).join(), /other belongs to no container$/);
  });
});
