import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { silentLog } from '../base/index.ts';
import { openMemoryDatabase } from '../meta/index.ts';
import { FakeKernel } from './fake-kernel.ts';
import { openNetworkStack } from './open.ts';
import { PortTable } from './publish/publish.ts';
import { networkStackSuite } from './suite.ts';

function fixture(config: { readySandboxes?: number; bip?: string } = {}) {
  const execRoot = mkdtempSync(join(tmpdir(), 'wharf-net-'));
  const database = openMemoryDatabase();
  const kernel = new FakeKernel();
  const hold = async () => ({ close() {} });
  const open = () =>
    openNetworkStack({
      database,
      execRoot,
      kernel,
      log: silentLog,
      config: { bip: '10.213.0.1/29', readySandboxes: 0, ...config },
      ports: new PortTable({ hostBinding: '0.0.0.0', hold, ipv6: true, range: [32768, 60999] }),
    });
  return { kernel, database, open, remove: () => rmSync(execRoot, { recursive: true }) };
}

networkStackSuite('over a fake kernel', async () => {
  const { open, remove } = fixture();
  let stack = open();
  await stack.recover(new Set());
  return {
    stack,
    async reopen(live) {
      stack = open();
      await stack.recover(new Set(live));
      return stack;
    },
    async dispose() {
      await stack.close({ removeKernelObjects: true });
      remove();
    },
  };
});

const bridge = { endpoints: [{ network: 'bridge' }], ports: [] };

describe('the stack over a fake kernel', () => {
  it('reuses an address only when the old interface is gone, and says when none is left', async (t) => {
    const { open, kernel, remove } = fixture();
    t.after(remove);
    const stack = open();
    await stack.recover(new Set());
    for (let at = 0; at < 5; at++) await stack.createSandbox({ containerId: `c${at}`, ...bridge });
    const { sandboxId, endpoints } = stack.sandboxOf('c2')!;
    await stack.removeSandbox(sandboxId);
    await assert.rejects(stack.createSandbox({ containerId: 'new', ...bridge }), { kind: 'exhausted' });
    kernel.reap();
    const box = await stack.createSandbox({ containerId: 'new', ...bridge });
    assert.equal(box.endpoints[0]?.ipv4, endpoints[0]?.ipv4);
    assert.equal(box.endpoints[0]?.macAddress, endpoints[0]?.macAddress);
  });

  for (const call of ['createNamespace', 'plug', 'nft']) {
    it(`leaves nothing behind when ${call} fails`, async (t) => {
      const { open, kernel, remove } = fixture();
      t.after(remove);
      const stack = open();
      await stack.recover(new Set());
      kernel.failing = call;
      const ports = [{ protocol: 'tcp' as const, containerPort: 80, hostIp: '', hostPort: 8080 }];
      await assert.rejects(stack.createSandbox({ containerId: 'x', ...bridge, ports }), /was made to fail/);
      kernel.failing = '';
      await stack.close({ removeKernelObjects: false });
      assert.equal(kernel.pins.size, 0);
      assert.equal(stack.sandboxes().length, 0);
    });
  }

  it('drops a former sandbox when its container starts again', async (t) => {
    const { open, kernel, remove } = fixture();
    t.after(remove);
    const stack = open();
    await stack.recover(new Set());
    const first = await stack.createSandbox({ containerId: 'again', ...bridge });
    const second = await stack.createSandbox({ containerId: 'again', ...bridge });
    assert.equal(stack.sandbox(first.sandboxId), undefined);
    assert.deepEqual([...kernel.pins.keys()], [second.netnsPath]);
  });

  it('chooses the next pool when the first is in use, and keeps its choice', async (t) => {
    const { open, kernel, remove, database } = fixture();
    t.after(remove);
    kernel.ranges.push({ base: (172 << 24) + 2 ** 32 + (17 << 16), prefix: 16 });
    const options = { database, execRoot: mkdtempSync(join(tmpdir(), 'wharf-net-')), log: silentLog, kernel };
    t.after(() => rmSync(options.execRoot, { recursive: true }));
    const pool = () => openNetworkStack(options).get('bridge').pools[0];
    assert.deepEqual(pool(), { subnet: '172.18.0.0/16', gateway: '172.18.0.1' });
    kernel.ranges.length = 0;
    assert.deepEqual(pool(), { subnet: '172.18.0.0/16', gateway: '172.18.0.1' });
    assert.equal(
      open().get('bridge').pools[0]?.subnet,
      '10.213.0.0/29',
      'bip wins while nobody has an address',
    );
  });

  it('pins the host namespace once for host sandboxes', async (t) => {
    const { open, kernel, remove } = fixture();
    t.after(remove);
    const stack = open();
    await stack.recover(new Set());
    const host = { endpoints: [{ network: 'host' }], ports: [] };
    const one = await stack.createSandbox({ containerId: 'h1', ...host });
    const two = await stack.createSandbox({ containerId: 'h2', ...host });
    assert.match(one.netnsPath, /netns\/default$/);
    assert.equal(two.netnsPath, one.netnsPath);
    await stack.removeSandbox(one.sandboxId);
    assert.equal(kernel.isPinned(two.netnsPath), true);
  });

  it('names differences', async (t) => {
    const { open, kernel, remove } = fixture();
    t.after(remove);
    const stack = open();
    await stack.recover(new Set());
    const box = await stack.createSandbox({ containerId: 'v', ...bridge });
    kernel.dropNamespace(box.netnsPath);
    kernel.deleteLink(box.endpoints[0]!.hostInterface);
    kernel.deleteLink('wharf0');
    const found = (await stack.verify()).join('\n');
    assert.match(found, /bridge wharf0 is missing/);
    assert.match(found, /nft table ip wharf is missing/);
    assert.match(found, /namespace .* of container v is gone/);
    assert.match(found, /link wv\w{8} of container v is not on its bridge/);
  });
});
