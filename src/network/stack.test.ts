import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { fakeHost } from './fake-stack.ts';
import { networkStackSuite } from './suite.ts';

networkStackSuite('over a fake kernel', async () => {
  const host = fakeHost();
  let stack = await host.start();
  return {
    stack,
    async reopen(live) {
      stack = await host.start(live);
      assert.deepEqual(await stack.verify(), []);
      return stack;
    },
    routes({ netnsPath }) {
      const { routes } = host.kernel.namespace(netnsPath);
      const text = (family: 4 | 6) => {
        const route = routes.get(family);
        return route ? `${route.dev} ${route.gateway ?? ''}` : '';
      };
      return { 4: text(4), 6: text(6) };
    },
    async dispose() {
      assert.deepEqual(await stack.verify(), []);
      for (const { sandboxId } of stack.sandboxes()) await stack.removeSandbox(sandboxId);
      await stack.close({ removeKernelObjects: true });
      host.kernel.reap();
      assert.deepEqual([...host.kernel.hostLinks.keys()], [], 'links');
      assert.deepEqual([host.kernel.pins.size, host.held.size, host.firewall.entries.size], [0, 0, 0]);
      host.remove();
    },
  };
});

const bridge = { endpoints: [{ network: 'bridge' }], ports: [] };

function given(t: TestContext) {
  const host = fakeHost();
  t.after(() => host.remove());
  return host;
}

describe('the stack over a fake kernel', () => {
  it('reuses an address only when the old interface is gone and has rested, and says when none is left', async (t) => {
    const host = given(t);
    const stack = await host.start([], { bip: '10.213.0.1/29' });
    for (let at = 0; at < 5; at++) await stack.createSandbox({ containerId: `c${at}`, ...bridge });
    const { sandboxId, endpoints } = stack.sandboxOf('c2')!;
    await stack.removeSandbox(sandboxId);
    await assert.rejects(stack.createSandbox({ containerId: 'new', ...bridge }), { kind: 'exhausted' });
    host.kernel.reap();
    const box = await stack.createSandbox({ containerId: 'new', ...bridge });
    assert.equal(box.endpoints[0]?.ipv4, endpoints[0]?.ipv4);
    assert.equal(box.endpoints[0]?.macAddress, endpoints[0]?.macAddress);
  });

  it('drops a former sandbox when its container starts again', async (t) => {
    const host = given(t);
    const stack = await host.start();
    const first = await stack.createSandbox({ containerId: 'again', ...bridge });
    const second = await stack.createSandbox({ containerId: 'again', ...bridge });
    assert.equal(stack.sandbox(first.sandboxId), undefined);
    assert.deepEqual([...host.kernel.pins.keys()], [second.netnsPath]);
  });

  it('chooses the next pool when the first is in use, and keeps its choice', async (t) => {
    const host = given(t);
    host.kernel.ranges.push('172.17.0.0/16');
    const pool = (bip = '') => host.open({ bip }).get('bridge').pools[0];
    assert.deepEqual(pool(), { subnet: '172.18.0.0/16', gateway: '172.18.0.1' });
    host.kernel.ranges.length = 0;
    assert.deepEqual(pool(), { subnet: '172.18.0.0/16', gateway: '172.18.0.1' });
    assert.equal(pool('10.213.0.1/29')?.subnet, '10.213.0.0/29', 'bip wins while nobody has an address');
  });

  it('pins the host namespace once for host sandboxes', async (t) => {
    const host = given(t);
    const stack = await host.start();
    const asked = { endpoints: [{ network: 'host' }], ports: [] };
    const one = await stack.createSandbox({ containerId: 'h1', ...asked });
    const two = await stack.createSandbox({ containerId: 'h2', ...asked });
    assert.match(one.netnsPath, /netns\/default$/);
    assert.equal(two.netnsPath, one.netnsPath);
    await stack.removeSandbox(one.sandboxId);
    assert.equal(host.kernel.namespaces.isPinned(two.netnsPath), true);
    assert.deepEqual(await stack.verify(), []);
  });

  it('keeps nothing of 10,000 joins and leaves', async (t) => {
    const host = given(t);
    const stack = await host.start();
    const networks = [await stack.create({ name: 'a' }), await stack.create({ name: 'b', enableIPv6: true })];
    const ports = [{ protocol: 'tcp' as const, containerPort: 80, hostIp: '', hostPort: 8080 }];
    const box = await stack.createSandbox({ containerId: 'c', endpoints: [{ network: 'a' }], ports });
    const state = () => [
      [...host.kernel.hostLinks.keys()].sort(),
      [...host.firewall.entries].sort(),
      [...host.kernel.namespace(box.netnsPath).interfaces.keys()],
      [...host.held],
      host.kernel.pins.size,
      stack.sandboxOf('c')?.ports,
    ];
    const before = state();
    for (let cycle = 0; cycle < 10_000; cycle++) {
      await stack.connect(box.sandboxId, { network: 'b', gwPriority: cycle % 3 });
      await stack.disconnect(box.sandboxId, networks[1]!.id);
      host.clock.now += 10;
    }
    assert.deepEqual(state(), before);
    assert.deepEqual(await stack.verify(), []);
  });

  it('takes a container of the default bridge from what is ready, and puts an unused one back', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const host = given(t);
    const stack = await host.start([], { readySandboxes: 1 });
    for (let at = 0; at < 10; at++) t.mock.timers.tick(100);
    assert.equal(host.kernel.pins.size, 2, 'one bare, one on the bridge');
    const ready = new Set(host.kernel.pins.keys());
    host.firewall.failing = true;
    const ports = [{ protocol: 'tcp' as const, containerPort: 80, hostIp: '', hostPort: 8080 }];
    await assert.rejects(stack.createSandbox({ containerId: 'x', ...bridge, ports }), /made to fail/);
    host.firewall.failing = false;
    const box = await stack.createSandbox({ containerId: 'x', ...bridge });
    assert.ok(ready.has(box.netnsPath));
    await stack.create({ name: 'mine' });
    const mine = await stack.createSandbox({ containerId: 'y', endpoints: [{ network: 'mine' }], ports: [] });
    assert.ok(ready.has(mine.netnsPath), 'networks of users take bare ones');
    assert.deepEqual(await stack.verify(), []);
    await stack.close({ removeKernelObjects: false });
  });
});
