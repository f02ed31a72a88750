import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type FakeHost, fakeHost } from './fake-stack.ts';
import type { PendingChange } from './parts.ts';
import type { HostNetworkStack } from './stack.ts';
import type { NetworkRecord, SandboxRecord } from './types.ts';

interface Given {
  host: FakeHost;
  stack: HostNetworkStack;
  box: SandboxRecord;
  mine: NetworkRecord;
}

const networksOf = ({ database }: FakeHost) =>
  database.collection<NetworkRecord>({
    name: 'networks',
    key: ({ id }) => id,
    indexes: { name: { unique: true, of: ({ name }) => name } },
  });
const sandboxesOf = ({ database }: FakeHost) =>
  database.collection<SandboxRecord>({
    name: 'sandboxes',
    key: ({ sandboxId }) => sandboxId,
    indexes: { container: { of: ({ containerId }) => containerId } },
  });
const pendingOf = ({ database }: FakeHost) =>
  database.collection<PendingChange>({ name: 'network_changes', key: ({ id }) => id });
const linkOf = ({ box }: Given, at: number) => box.endpoints[at]?.hostInterface ?? '';

/** What is broken, how, and what is said of it. */
const BROKEN: [string, (given: Given) => void, RegExp][] = [
  ['a bridge is gone', ({ host }) => host.kernel.hostLinks.delete('wharf0'), /^bridge wharf0 is missing$/m],
  [
    'a bridge is down',
    ({ host }) => void Object.assign(host.kernel.hostLinks.get('wharf0') ?? {}, { up: false }),
    /^bridge wharf0 is down$/m,
  ],
  [
    'a bridge has lost its address',
    ({ host }) => void host.kernel.hostLinks.get('wharf0')?.cidrs.splice(0),
    /^bridge wharf0 lacks the address 10\.213\.0\.1\/24$/m,
  ],
  [
    'a parent is gone',
    ({ host }) => host.kernel.hostLinks.delete('lan0.7'),
    /^parent lan0\.7 of network wire is missing$/m,
  ],
  ['rules are gone', ({ host }) => host.firewall.entries.clear(), /^lacks .*wharf0/m],
  ['rules are strange', ({ host }) => host.firewall.entries.add('"x"'), /^has a stray "x"$/m],
  [
    'a namespace is gone',
    ({ host, box }) => host.kernel.pins.delete(box.netnsPath),
    /^namespace \S+ of container web is gone; restart the container$/m,
  ],
  [
    'a link is loose',
    (given) =>
      void Object.assign(given.host.kernel.hostLinks.get(linkOf(given, 0)) ?? {}, { bridge: undefined }),
    /^link wv\w{8} of container web is not on its bridge$/m,
  ],
  [
    'a link is on the bridge of another network',
    (given) => given.host.kernel.attach(linkOf(given, 1), 'wharf0'),
    /^link wv\w{8} of container web is not on its bridge$/m,
  ],
  [
    'an interface is gone',
    ({ host, box }) => host.kernel.namespaces.unplug(box.netnsPath, 'eth2'),
    /^interface eth2 of container web is gone$/m,
  ],
  [
    'a sandbox is not recorded',
    ({ host, box }) => sandboxesOf(host).delete(box.sandboxId),
    /^sandbox \w+ is not recorded$/m,
  ],
  [
    'a sandbox is recorded only',
    ({ host, box }) => sandboxesOf(host).put({ ...box, sandboxId: 'lost' }),
    /^sandbox lost is recorded and not known$/m,
  ],
  [
    'a network is not recorded',
    ({ host, mine }) => networksOf(host).delete(mine.id),
    /^network mine is not recorded$/m,
  ],
  [
    'a network is recorded only',
    ({ host, mine }) => networksOf(host).put({ ...mine, id: 'lost', name: 'lost' }),
    /^network lost is recorded and not known$/m,
  ],
  [
    'a change was cut',
    ({ host, mine }) => pendingOf(host).put({ id: 'cut', network: mine }),
    /^change cut was begun and not ended$/m,
  ],
  [
    'a namespace is nobody’s',
    ({ host }) => writeFileSync(join(host.execRoot, 'netns', 'stray'), ''),
    /^namespace \S+stray belongs to no container$/m,
  ],
  [
    'a link is nobody’s',
    ({ host }) => host.kernel.addLink('wvdeadbeef', 'veth', 'wharf0'),
    /^link wvdeadbeef belongs to no container$/m,
  ],
];

describe('verification', () => {
  for (const [what, harm, sentence] of BROKEN)
    it(`says when ${what}`, async (t) => {
      const host = fakeHost();
      t.after(() => host.remove());
      host.kernel.addLink('lan0', 'veth');
      const stack = await host.start();
      const mine = await stack.create({ name: 'mine' });
      await stack.create({ name: 'wire', driver: 'macvlan', options: { parent: 'lan0.7' } });
      const endpoints = [{ network: 'bridge' }, { network: 'mine' }, { network: 'wire' }];
      const box = await stack.createSandbox({ containerId: 'web', endpoints, ports: [] });
      assert.deepEqual(await stack.verify(), []);
      harm({ host, stack, box, mine });
      const found = await stack.verify();
      assert.match(found.join('\n'), sentence);
    });

  it('says when a network of a container is not known', async (t) => {
    const host = fakeHost();
    t.after(() => host.remove());
    const first = await host.start();
    const mine = await first.create({ name: 'mine' });
    await first.createSandbox({ containerId: 'web', endpoints: [{ network: 'mine' }], ports: [] });
    networksOf(host).delete(mine.id);
    const next = await host.start(['web']);
    assert.match((await next.verify()).join('\n'), /^network mine of container web is gone$/m);
    assert.ok(host.logged.some(([, fields]) => fields?.['problem'] === 'network mine is gone'));
  });

  it('does not take links that the kernel still takes apart for strays', async (t) => {
    const host = fakeHost();
    t.after(() => host.remove());
    const stack = await host.start();
    const box = await stack.createSandbox({
      containerId: 'web',
      endpoints: [{ network: 'bridge' }],
      ports: [],
    });
    await stack.removeSandbox(box.sandboxId);
    assert.equal(host.kernel.dying.size, 1);
    assert.deepEqual(await stack.verify(), []);
  });
});
