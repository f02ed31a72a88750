import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type FakeHost, fakeHost } from './fake-stack.ts';
import type { HostNetworkStack } from './stack.ts';

/**
 * Lets the daemon die at the n-th thing it does to the kernel, the rules or the records: that call and all later ones fail
 * and do nothing, as if the process were gone. `alive()` ends it.
 */
class Killer {
  count = 0;
  at = Number.POSITIVE_INFINITY;

  wrap<T extends object>(target: T, calls: readonly string[]): T {
    return new Proxy(target, {
      get: (object, key) => {
        const value: unknown = Reflect.get(object, key);
        if (key === 'namespaces') return this.wrap(value as object, calls);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (calls.includes(String(key)) && ++this.count >= this.at) throw new Error('killed');
          const result: unknown = Reflect.apply(value, object, args);
          return key === 'collection' ? this.wrap(result as object, ['put', 'delete']) : result;
        };
      },
    });
  }
}

const KERNEL = [
  'ensureBridge',
  'ensureVlan',
  'deleteLink',
  'plug',
  'plugParented',
  'unplug',
  'setDefaultRoute',
  'create',
  'drop',
];

/** Two daemons' worth of state: what the case needs, made by a daemon that nobody kills. */
async function prepared(host: FakeHost): Promise<void> {
  const stack = await host.start();
  host.kernel.addLink('lan0', 'veth');
  await stack.create({ name: 'old', enableIPv6: true });
  await stack.create({ name: 'spare' });
  await stack.create({ name: 'wire', driver: 'macvlan', options: { parent: 'lan0.7' } });
  const ports = [{ protocol: 'tcp' as const, containerPort: 80, hostIp: '', hostPort: 8080 }];
  const endpoints = [{ network: 'bridge' }, { network: 'old', gwPriority: 1 }, { network: 'wire' }];
  await stack.createSandbox({ containerId: 'web', endpoints, ports });
}

const CASES: Record<string, (stack: HostNetworkStack) => Promise<unknown>> = {
  create: (stack) => stack.create({ name: 'new', enableIPv6: true }),
  'create on a VLAN': (stack) =>
    stack.create({ name: 'new', driver: 'macvlan', options: { parent: 'lan0.9' } }),
  remove: (stack) => stack.remove('spare'),
  renumber: (stack) => stack.renumber('spare', [{ subnet: '10.214.9.0/24' }]),
  connect: (stack) => stack.connect(boxOf(stack), { network: 'spare', gwPriority: 2 }),
  disconnect: (stack) => stack.disconnect(boxOf(stack), stack.get('old').id),
  'disconnect from a macvlan': (stack) => stack.disconnect(boxOf(stack), stack.get('wire').id),
  'the start of a container': (stack) =>
    stack.createSandbox({
      containerId: 'next',
      endpoints: [{ network: 'spare' }, { network: 'wire' }],
      ports: [],
    }),
  'the end of a container': (stack) => stack.removeSandbox(boxOf(stack)),
};

function boxOf(stack: HostNetworkStack): string {
  return stack.sandboxOf('web')?.sandboxId ?? '';
}

/** One daemon dies at the n-th step of the work, the next recovers; false when the work was done before that. */
async function dies(t: TestContext, name: string, at: number): Promise<boolean> {
  const host = fakeHost();
  t.after(() => host.remove());
  await prepared(host);
  const plain = { kernel: host.kernel, firewall: host.firewall, database: host.database };
  const killer = new Killer();
  host.kernel = killer.wrap(plain.kernel, KERNEL);
  host.firewall = killer.wrap(plain.firewall, ['apply']);
  host.database = killer.wrap(plain.database, []);
  const stack = await host.start(['web']);
  killer.at = killer.count + at;
  const killed = await CASES[name]!(stack).then(
    () => false,
    () => true,
  );
  Object.assign(host, plain);
  const next = await host.start(name === 'the end of a container' ? [] : ['web']);
  host.kernel.reap();
  assert.deepEqual(await next.verify(), [], `step ${at}`);
  const links = [...host.kernel.hostLinks.keys()].filter((name) => name.startsWith('wv'));
  const recorded = next
    .sandboxes()
    .flatMap(({ endpoints }) => endpoints.flatMap((each) => each.hostInterface || []));
  assert.deepEqual(links.sort(), recorded.sort(), `links after step ${at}`);
  const bridges = [...host.kernel.hostLinks].filter(([, { kind }]) => kind !== 'veth').map(([name]) => name);
  assert.equal(bridges.length, next.list().length - 2, `bridges and VLANs after step ${at}`);
  const box = next.sandboxOf('web');
  if (box) {
    const { interfaces, routes } = host.kernel.namespace(box.netnsPath);
    assert.equal(interfaces.size, box.endpoints.length, `interfaces after step ${at}`);
    assert.ok(routes.get(4)?.dev && interfaces.has(routes.get(4)?.dev ?? ''), `route after step ${at}`);
    assert.equal(box.ports.length, 2);
  }
  return killed;
}

describe('a daemon killed at each step of', () => {
  for (const name of Object.keys(CASES))
    it(`${name}: the next one repairs or drops what is left`, async (t) => {
      let steps = 0;
      while (await dies(t, name, steps + 1)) steps++;
      assert.ok(steps >= 2, `${steps} steps`);
    });
});
