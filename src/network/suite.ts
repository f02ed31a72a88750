import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NetworkStack, PortRequest } from './types.ts';

/** A stack for one case: fresh, recovered, with nothing in it. */
export interface SuiteStack {
  stack: NetworkStack;
  /** The same state opened by another daemon, after `recover(live)`. */
  reopen(live: string[]): Promise<NetworkStack>;
  dispose(): Promise<void>;
}

/** What every {@link NetworkStack} promises; run by the implementation over a fake kernel and over the real one. */
export function networkStackSuite(name: string, open: () => Promise<SuiteStack>): void {
  const tcp = (containerPort: number, hostPort: number): PortRequest => ({
    protocol: 'tcp',
    containerPort,
    hostPort,
    hostIp: '127.0.0.1',
  });
  const bridge = { endpoints: [{ network: 'bridge' }], ports: [] };
  const with_ = (title: string, work: (given: SuiteStack) => Promise<void>) =>
    it(title, async () => {
      const given = await open();
      try {
        await work(given);
      } finally {
        await given.dispose();
      }
    });

  describe(`network stack: ${name}`, () => {
    with_('has the three built-in networks', async ({ stack }) => {
      const seen = stack.list().map(({ name, driver }) => [name, driver]);
      assert.deepEqual(seen, [
        ['bridge', 'bridge'],
        ['host', 'host'],
        ['none', 'null'],
      ]);
      const { id } = stack.get('bridge');
      assert.equal(stack.get(id).name, 'bridge');
      assert.equal(stack.get(id.slice(0, 20)).name, 'bridge');
      assert.throws(() => stack.get('nosuch'), { kind: 'not-found', message: 'network nosuch not found' });
      assert.equal(stack.hostGateway('bridge'), stack.get('bridge').pools[0]?.gateway);
      assert.equal(stack.hostGateway('none'), undefined);
    });

    with_('gives each container an address, a hardware address and a gateway', async ({ stack }) => {
      const one = await stack.createSandbox({ containerId: 'one', ...bridge });
      const two = await stack.createSandbox({ containerId: 'two', ...bridge });
      const [first, second] = [one.endpoints[0]!, two.endpoints[0]!];
      assert.notEqual(first.ipv4, second.ipv4);
      assert.notEqual(first.macAddress, second.macAddress);
      assert.equal(first.ipv4Gateway, stack.hostGateway('bridge'));
      assert.equal(first.interfaceName, 'eth0');
      assert.equal(stack.sandbox(one.sandboxId)?.containerId, 'one');
      assert.equal(stack.sandboxOf('two')?.sandboxId, two.sandboxId);
      assert.deepEqual(Object.keys(await stack.counters(one.sandboxId)), ['eth0']);
    });

    with_('gives a loopback only when there is no endpoint', async ({ stack }) => {
      const box = await stack.createSandbox({ containerId: 'lonely', endpoints: [], ports: [] });
      assert.deepEqual(box.endpoints, []);
      assert.deepEqual(await stack.counters(box.sandboxId), {});
    });

    with_('keeps the hardware address that was asked for', async ({ stack }) => {
      const endpoints = [{ network: 'bridge', macAddress: '02:11:22:33:44:55' }];
      const box = await stack.createSandbox({ containerId: 'mac', endpoints, ports: [] });
      assert.equal(box.endpoints[0]?.macAddress, '02:11:22:33:44:55');
    });

    with_('publishes all ports or makes nothing', async ({ stack }) => {
      const first = await stack.createSandbox({ containerId: 'a', ...bridge, ports: [tcp(80, 39181)] });
      assert.deepEqual(first.ports, [
        { protocol: 'tcp', containerPort: 80, hostIp: '127.0.0.1', hostPort: 39181 },
      ]);
      const taken = stack.createSandbox({
        containerId: 'b',
        ...bridge,
        ports: [tcp(1, 39182), tcp(80, 39181)],
      });
      await assert.rejects(taken, { kind: 'conflict' });
      assert.equal(stack.sandboxOf('b'), undefined);
      const again = await stack.createSandbox({ containerId: 'b', ...bridge, ports: [tcp(1, 39182)] });
      assert.equal(again.ports[0]?.hostPort, 39182);
    });

    with_('frees everything on removal, and a second removal is nothing', async ({ stack }) => {
      const box = await stack.createSandbox({ containerId: 'a', ...bridge, ports: [tcp(80, 39183)] });
      await stack.removeSandbox(box.sandboxId);
      await stack.removeSandbox(box.sandboxId);
      assert.equal(stack.sandboxOf('a'), undefined);
      await stack.createSandbox({ containerId: 'b', ...bridge, ports: [tcp(80, 39183)] });
    });

    with_('refuses what it does not have, clearly', async ({ stack }) => {
      const several = [{ network: 'bridge' }, { network: 'none' }];
      const on = (endpoints: { network: string; ipv4?: string }[]) =>
        stack.createSandbox({ containerId: 'x', endpoints, ports: [] });
      await assert.rejects(on(several), { kind: 'not-implemented' });
      await assert.rejects(on([{ network: 'mynet' }]), { kind: 'not-found' });
      await assert.rejects(
        on([{ network: 'bridge', ipv4: '10.0.0.9' }]),
        /supported on user defined networks only/,
      );
    });

    with_('keeps live sandboxes over a restart and drops the others', async ({ stack, reopen }) => {
      const live = await stack.createSandbox({ containerId: 'live', ...bridge, ports: [tcp(80, 39184)] });
      await stack.createSandbox({ containerId: 'dead', ...bridge, ports: [tcp(80, 39185)] });
      await stack.close({ removeKernelObjects: false });
      const next = await reopen(['live']);
      assert.deepEqual(next.sandboxOf('live'), live);
      assert.equal(next.sandboxOf('dead'), undefined);
      assert.deepEqual(next.get('bridge'), stack.get('bridge'));
      const clash = next.createSandbox({ containerId: 'new', ...bridge, ports: [tcp(80, 39184)] });
      await assert.rejects(clash, /port is already allocated/);
      const other = await next.createSandbox({ containerId: 'new', ...bridge, ports: [tcp(80, 39185)] });
      assert.notEqual(other.endpoints[0]?.ipv4, live.endpoints[0]?.ipv4);
    });
  });
}
