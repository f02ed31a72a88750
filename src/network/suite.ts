import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EndpointRequest, NetworkStack, PortRequest, SandboxRecord } from './types.ts';

/** A stack for one case: fresh, recovered, with nothing in it. */
export interface SuiteStack {
  stack: NetworkStack;
  /** The same state opened by another daemon, after `recover(live)`. */
  reopen(live: string[]): Promise<NetworkStack>;
  /** Default routes inside a sandbox, as `dev gateway`. */
  routes(sandbox: SandboxRecord): { 4: string; 6: string };
  dispose(): Promise<void>;
}

type Case = (given: SuiteStack) => Promise<void>;

const tcp = (containerPort: number, hostPort: number, hostIp = '127.0.0.1'): PortRequest => ({
  protocol: 'tcp',
  containerPort,
  hostPort,
  hostIp,
});
const bridge = { endpoints: [{ network: 'bridge' }], ports: [] };
const on = (containerId: string, endpoints: EndpointRequest[], ports: PortRequest[] = []) => ({
  containerId,
  containerName: containerId,
  endpoints,
  ports,
});
const subnet = (third: number) => ({ pools: [{ subnet: `10.214.${third}.0/24` }] });
const namesOf = ({ endpoints }: SandboxRecord) => endpoints.map(({ interfaceName }) => interfaceName);

/** What every {@link NetworkStack} promises; run by the implementation over a fake kernel and over the real one. */
export function networkStackSuite(name: string, open: () => Promise<SuiteStack>): void {
  describe(`network stack: ${name}`, () => {
    for (const [title, work] of [...SANDBOXES, ...NETWORKS, ...JOINING, ...RESTARTS])
      it(title, async () => {
        const given = await open();
        try {
          await work(given);
        } finally {
          await given.dispose();
        }
      });
  });
}

const SANDBOXES: [string, Case][] = [
  [
    'has the three built-in networks',
    async ({ stack }) => {
      const seen = stack.list().map(({ name, driver }) => `${name} ${driver}`);
      assert.deepEqual(seen, ['bridge bridge', 'host host', 'none null']);
      const { id } = stack.get('bridge');
      assert.equal(stack.get(id).name, 'bridge');
      assert.equal(stack.get(id.slice(0, 20)).name, 'bridge');
      assert.throws(() => stack.get('nosuch'), { kind: 'not-found', message: 'network nosuch not found' });
      assert.equal(stack.hostGateway('bridge'), stack.get('bridge').pools[0]?.gateway);
      assert.equal(stack.hostGateway('none'), undefined);
    },
  ],
  [
    'gives each container an address, a hardware address and a gateway',
    async ({ stack, routes }) => {
      const one = await stack.createSandbox({ containerId: 'one', ...bridge });
      const two = await stack.createSandbox({ containerId: 'two', ...bridge });
      const [first, second] = [one.endpoints[0]!, two.endpoints[0]!];
      assert.notEqual(first.ipv4, second.ipv4);
      assert.notEqual(first.macAddress, second.macAddress);
      assert.equal(first.ipv4Gateway, stack.hostGateway('bridge'));
      assert.deepEqual(routes(one), { 4: `eth0 ${first.ipv4Gateway}`, 6: '' });
      assert.equal(stack.sandbox(one.sandboxId)?.containerId, 'one');
      assert.equal(stack.sandboxOf('two')?.sandboxId, two.sandboxId);
      assert.deepEqual(Object.keys(await stack.counters(one.sandboxId)), ['eth0']);
    },
  ],
  [
    'gives a loopback only when there is no endpoint',
    async ({ stack }) => {
      const box = await stack.createSandbox({ containerId: 'lonely', endpoints: [], ports: [] });
      assert.deepEqual(box.endpoints, []);
      assert.deepEqual(await stack.counters(box.sandboxId), {});
    },
  ],
  [
    'keeps the hardware address that was asked for',
    async ({ stack }) => {
      await stack.create({ name: 'mine' });
      for (const network of ['bridge', 'mine']) {
        const asked = [{ network, macAddress: '02:11:22:33:44:5A' }];
        const box = await stack.createSandbox(on(network, asked));
        assert.equal(box.endpoints[0]?.macAddress, '02:11:22:33:44:5a');
        await assert.rejects(stack.createSandbox(on('x', [{ network, macAddress: 'zz' }])), {
          kind: 'invalid',
        });
      }
    },
  ],
  [
    'publishes all ports or makes nothing',
    async ({ stack }) => {
      const first = await stack.createSandbox({ containerId: 'a', ...bridge, ports: [tcp(80, 39181)] });
      const made = { protocol: 'tcp', containerPort: 80, hostIp: '127.0.0.1', hostPort: 39181 };
      assert.deepEqual(first.ports, [made]);
      const asked = { containerId: 'b', ...bridge, ports: [tcp(1, 39182), tcp(80, 39181)] };
      await assert.rejects(stack.createSandbox(asked), { kind: 'conflict' });
      assert.equal(stack.sandboxOf('b'), undefined);
      const again = await stack.createSandbox({ containerId: 'b', ...bridge, ports: [tcp(1, 39182)] });
      assert.equal(again.ports[0]?.hostPort, 39182);
    },
  ],
  [
    'frees everything on removal, and a second removal is nothing',
    async ({ stack }) => {
      const box = await stack.createSandbox({ containerId: 'a', ...bridge, ports: [tcp(80, 39183)] });
      await stack.removeSandbox(box.sandboxId);
      await stack.removeSandbox(box.sandboxId);
      assert.equal(stack.sandboxOf('a'), undefined);
      await stack.createSandbox({ containerId: 'b', ...bridge, ports: [tcp(80, 39183)] });
    },
  ],
  [
    'refuses what can not be, clearly',
    async ({ stack }) => {
      const make = (...endpoints: EndpointRequest[]) => stack.createSandbox(on('x', endpoints));
      await assert.rejects(make({ network: 'bridge' }, { network: 'none' }), /private \(none\) mode/);
      await assert.rejects(
        make({ network: 'bridge' }, { network: 'host' }),
        /connect container to host network/,
      );
      await assert.rejects(make({ network: 'mynet' }), { kind: 'not-found' });
      await assert.rejects(make({ network: 'bridge', ipv4: '10.0.0.9' }), /on user defined networks only/);
      await assert.rejects(make({ network: 'bridge', linkLocal: ['10.9.9.9'] }), {
        message: 'invalid link local IP address: 10.9.9.9',
      });
      assert.deepEqual(stack.sandboxes(), []);
    },
  ],
];

const NETWORKS: [string, Case][] = [
  [
    'makes networks, shows them in the order of their making, and removes them',
    async ({ stack }) => {
      const made = await stack.create({ name: 'zoo', labels: { a: 'b' }, attachable: true });
      await stack.create({ name: 'ape' });
      assert.deepEqual(
        stack.list().map(({ name }) => name),
        ['bridge', 'host', 'none', 'zoo', 'ape'],
      );
      assert.deepEqual(stack.get(made.id), made);
      assert.deepEqual([made.labels, made.attachable, made.driver], [{ a: 'b' }, true, 'bridge']);
      assert.equal(stack.hostGateway('zoo'), made.pools[0]?.gateway);
      assert.equal((await stack.remove('zoo')).id, made.id);
      assert.throws(() => stack.get('zoo'), { kind: 'not-found' });
      assert.equal((await stack.create({ name: 'zoo' })).pools[0]?.subnet, made.pools[0]?.subnet);
    },
  ],
  [
    'refuses networks in the words of the Engine',
    async ({ stack }) => {
      await stack.create({ name: 'taken', ...subnet(1) });
      const cases: [Parameters<NetworkStack['create']>[0], string, RegExp][] = [
        [{ name: 'taken' }, 'conflict', /^network with name taken already exists$/],
        [{ name: ' ' }, 'invalid', /^invalid name: name is empty$/],
        [{ name: 'none' }, 'forbidden', /^operation is not permitted on predefined none network $/],
        [{ name: 'n', driver: 'nosuch' }, 'not-found', /^plugin "nosuch" not found$/],
        [{ name: 'n', driver: 'host' }, 'forbidden', /^only one instance of "host" network is allowed$/],
        [{ name: 'n', enableIPv4: false }, 'invalid', /^IPv4 or IPv6 must be enabled$/],
        [{ name: 'n', ...subnet(1) }, 'forbidden', /Pool overlaps with other one on this address space/],
        [{ name: 'n', configFrom: 'x' }, 'not-found', /^configuration network "x" does not exist$/],
      ];
      for (const [request, kind, message] of cases)
        await assert.rejects(stack.create(request), { kind, message }, JSON.stringify(request));
      await assert.rejects(stack.remove('bridge'), { kind: 'forbidden', message: /pre-defined network/ });
      await assert.rejects(stack.remove('nosuch'), { kind: 'not-found' });
      assert.equal(stack.list().length, 4);
    },
  ],
  [
    'makes networks from the options of others',
    async ({ stack }) => {
      const options = { 'com.docker.network.bridge.enable_icc': 'false' };
      await stack.create({ name: 'set', configOnly: true, options, ...subnet(2) });
      await assert.rejects(stack.createSandbox(on('x', [{ network: 'set' }])), { kind: 'forbidden' });
      const own = { name: 'n', configFrom: 'set', options };
      await assert.rejects(stack.create(own), /^WharfError: network driver options are not supported/);
      const made = await stack.create({ name: 'n', configFrom: 'set', internal: true });
      assert.deepEqual(
        [made.options, made.pools[0]?.subnet, made.internal],
        [options, '10.214.2.0/24', true],
      );
      await assert.rejects(stack.remove('set'), /configuration network "set" is in use$/);
      await stack.remove('n');
      await stack.remove('set');
    },
  ],
  [
    'keeps a network that containers are on, and says which',
    async ({ stack }) => {
      const { id } = await stack.create({ name: 'busy' });
      const box = await stack.createSandbox(on('web', [{ network: 'busy' }]));
      const listed = `name:"web" id:"${box.endpoints[0]?.endpointId.slice(0, 12)}"`;
      await assert.rejects(stack.remove('busy'), {
        kind: 'forbidden',
        message: `error while removing network: network busy has active endpoints (${listed})`,
      });
      assert.throws(() => stack.checkRemove('busy'), {
        kind: 'forbidden',
        message: /busy has active endpoints/,
      });
      await assert.rejects(stack.renumber('busy'), { kind: 'conflict' });
      await stack.removeSandbox(box.sandboxId);
      assert.equal(stack.checkRemove('busy').id, id, 'it would go, and is still there');
      assert.equal((await stack.remove(id)).name, 'busy');
      assert.throws(() => stack.checkRemove('busy'), { kind: 'not-found' });
      const options = await stack.create({ name: 'options', configOnly: true });
      const user = await stack.create({ name: 'user', configFrom: 'options' });
      assert.throws(() => stack.checkRemove('options'), { kind: 'forbidden' });
      assert.equal(stack.checkRemove('options', new Set([user.id])).id, options.id);
      for (const name of ['user', 'options']) await stack.remove(name);
    },
  ],
  [
    'gives a network other subnets, and its id stays',
    async ({ stack }) => {
      const { id } = await stack.create({ name: 'moving', ...subnet(3) });
      const moved = await stack.renumber('moving', [{ subnet: '10.214.4.0/24' }]);
      assert.deepEqual([moved.id, moved.pools[0]?.gateway], [id, '10.214.4.1']);
      const box = await stack.createSandbox(on('web', [{ network: 'moving' }]));
      assert.equal(box.endpoints[0]?.ipv4, '10.214.4.2');
      await stack.removeSandbox(box.sandboxId);
      const chosen = await stack.renumber('moving');
      assert.notEqual(chosen.pools[0]?.subnet, '10.214.4.0/24');
      const again = await stack.renumber('moving');
      assert.notEqual(again.pools[0]?.subnet, chosen.pools[0]?.subnet, 'others than now');
      await assert.rejects(stack.renumber('bridge'), { kind: 'forbidden' });
    },
  ],
];

const JOINING: [string, Case][] = [
  [
    'puts a container on several networks, in the order given',
    async ({ stack, routes }) => {
      for (const third of [5, 6]) await stack.create({ name: `n${third}`, ...subnet(third) });
      const box = await stack.createSandbox(
        on('web', [{ network: 'n6', dnsNames: ['web'] }, { network: 'bridge' }, { network: 'n5' }]),
      );
      assert.deepEqual(namesOf(box), ['eth0', 'eth1', 'eth2']);
      assert.deepEqual(
        box.endpoints.map(({ networkName }) => networkName),
        ['n6', 'bridge', 'n5'],
      );
      assert.deepEqual(box.endpoints[0]?.dnsNames, ['web']);
      assert.equal(routes(box)[4], `eth1 ${stack.hostGateway('bridge')}`, 'the first by name');
      assert.deepEqual(Object.keys(await stack.counters(box.sandboxId)), ['eth0', 'eth1', 'eth2']);
    },
  ],
  [
    'joins and leaves networks while the container runs; routes and ports follow',
    async ({ stack, routes }) => {
      for (const third of [5, 6]) await stack.create({ name: `n${third}`, ...subnet(third) });
      const first = await stack.createSandbox(on('web', [{ network: 'n5' }], [tcp(80, 39186)]));
      const second = await stack.connect(first.sandboxId, { network: 'n6', gwPriority: 1 });
      assert.deepEqual(namesOf(second), ['eth0', 'eth1']);
      assert.equal(routes(second)[4], 'eth1 10.214.6.1');
      assert.deepEqual(second.ports, first.ports, 'published on the other network now');
      assert.equal(stack.exposure().find(({ protocol }) => protocol === 'tcp')?.network, 'n6');
      assert.deepEqual(stack.sandboxOf('web'), second);
      await assert.rejects(stack.connect(first.sandboxId, { network: 'n6' }), {
        kind: 'conflict',
        message: 'endpoint with name web already exists in network n6',
      });
      const third = await stack.disconnect(first.sandboxId, stack.get('n5').id);
      assert.deepEqual(namesOf(third), ['eth1']);
      const fourth = await stack.connect(first.sandboxId, { network: 'n5' });
      assert.deepEqual([namesOf(fourth), routes(fourth)[4]], [['eth1', 'eth0'], 'eth1 10.214.6.1']);
      const last = await stack.disconnect(first.sandboxId, stack.get('n6').id);
      assert.deepEqual([routes(last)[4], last.ports], ['eth0 10.214.5.1', first.ports]);
      await assert.rejects(stack.disconnect(first.sandboxId, stack.get('n6').id), {
        kind: 'not-found',
        message: 'container web is not connected to network n6',
      });
      const none = await stack.disconnect(first.sandboxId, stack.get('n5').id);
      assert.deepEqual([none.endpoints, none.ports, routes(none)], [[], [], { 4: '', 6: '' }]);
      const back = await stack.connect(first.sandboxId, { network: 'bridge' });
      assert.deepEqual([back.ports, namesOf(back)], [first.ports, ['eth0']]);
    },
  ],
  [
    'connects nothing to a container without a network of its own, and nothing to host or none',
    async ({ stack }) => {
      const host = await stack.createSandbox(on('h', [{ network: 'host' }]));
      const none = await stack.createSandbox(on('n', [{ network: 'none' }]));
      const box = await stack.createSandbox(on('b', [{ network: 'bridge' }]));
      await assert.rejects(stack.connect(host.sandboxId, { network: 'bridge' }), { kind: 'invalid' });
      await assert.rejects(stack.connect(none.sandboxId, { network: 'bridge' }), /private \(none\) mode/);
      for (const network of ['host', 'none'])
        await assert.rejects(stack.connect(box.sandboxId, { network }), { kind: 'invalid' });
      await assert.rejects(stack.connect('nosuch', { network: 'bridge' }), { kind: 'not-found' });
    },
  ],
  [
    'gives the addresses that were asked for, or none',
    async ({ stack }) => {
      const pools = [{ subnet: '10.214.7.0/24' }, { subnet: 'fd00:214:7::/64' }];
      await stack.create({ name: 'fixed', enableIPv6: true, pools });
      const asked = {
        network: 'fixed',
        ipv4: '10.214.7.77',
        ipv6: 'fd00:214:7::77',
        linkLocal: ['169.254.8.8'],
      };
      const box = await stack.createSandbox(on('web', [asked]));
      const { ipv4, ipv6, linkLocal, ipv6Gateway, ipv6PrefixLen } = box.endpoints[0]!;
      assert.deepEqual(
        [ipv4, ipv6, linkLocal, ipv6Gateway, ipv6PrefixLen],
        ['10.214.7.77', 'fd00:214:7::77', ['169.254.8.8/16'], 'fd00:214:7::1', 64],
      );
      await assert.rejects(stack.createSandbox(on('x', [asked])), /Address already in use/);
      await assert.rejects(stack.createSandbox(on('x', [{ network: 'fixed', ipv4: '10.9.9.9' }])));
      const other = await stack.createSandbox(on('y', [{ network: 'fixed' }]));
      assert.equal(other.endpoints[0]?.ipv4, '10.214.7.2');
    },
  ],
  [
    'has networks of IPv6 alone',
    async ({ stack, routes }) => {
      const { pools } = await stack.create({ name: 'six', enableIPv4: false, enableIPv6: true });
      assert.equal(pools.length, 1);
      assert.match(pools[0]?.subnet ?? '', /^fd.*\/64$/);
      const box = await stack.createSandbox(on('web', [{ network: 'six' }]));
      const { ipv4, ipv6, ipv4Gateway, macAddress } = box.endpoints[0]!;
      assert.deepEqual([ipv4, ipv4Gateway], ['', '']);
      assert.match(`${ipv6} ${macAddress}`, /^fd\S+ 02(:[0-9a-f]{2}){5}$/);
      assert.deepEqual(routes(box), { 4: '', 6: `eth0 ${pools[0]?.gateway}` });
      const next = await stack.connect(box.sandboxId, { network: 'bridge' });
      assert.deepEqual(routes(next), {
        4: `eth1 ${stack.hostGateway('bridge')}`,
        6: `eth0 ${pools[0]?.gateway}`,
      });
    },
  ],
  [
    'leads nowhere out of an internal network, and publishes nothing there',
    async ({ stack, routes }) => {
      await stack.create({ name: 'inside', internal: true, ...subnet(8) });
      const box = await stack.createSandbox(on('db', [{ network: 'inside' }], [tcp(80, 39187)]));
      assert.deepEqual([routes(box)[4], box.endpoints[0]?.ipv4Gateway, box.ports], ['', '', []]);
      const joined = await stack.connect(box.sandboxId, { network: 'bridge' });
      assert.deepEqual([routes(joined)[4].split(' ')[0], joined.ports[0]?.hostPort], ['eth1', 39187]);
    },
  ],
  [
    'names interfaces as asked, and sets their sysctls',
    async ({ stack }) => {
      const prefix = { 'com.docker.network.container_iface_prefix': 'lan' };
      await stack.create({ name: 'named', options: prefix, ...subnet(9) });
      const ifname = (name: string) => ({ 'com.docker.network.endpoint.ifname': name });
      const box = await stack.createSandbox(
        on('web', [{ network: 'bridge', driverOptions: ifname('up0') }, { network: 'named' }]),
      );
      assert.deepEqual(namesOf(box), ['up0', 'lan0']);
      for (const name of ['lo', 'up0', 'a/b', 'averyveryverylongname'])
        await assert.rejects(
          stack.createSandbox(
            on('x', [
              { network: 'bridge', driverOptions: ifname('up0') },
              { network: 'named', driverOptions: ifname(name) },
            ]),
          ),
        );
      const sysctls = (value: string) => ({ 'com.docker.network.endpoint.sysctls': value });
      const wrong = [{ network: 'named', driverOptions: sysctls('kernel.IFNAME.x=1') }];
      await assert.rejects(
        stack.createSandbox(on('x', wrong)),
        /^WharfError: unrecognised network interface sysctl/,
      );
      const right = [{ network: 'named', driverOptions: sysctls('net.ipv4.conf.IFNAME.log_martians=1') }];
      await stack.createSandbox(on('y', right));
    },
  ],
  [
    'takes other names for a container while it lives',
    async ({ stack }) => {
      const { id } = await stack.create({ name: 'n5', ...subnet(5) });
      const box = await stack.createSandbox(on('old', [{ network: 'n5', dnsNames: ['old'] }]));
      stack.rename(box.sandboxId, 'new', new Map([[id, ['new', 'alias']]]));
      assert.deepEqual(stack.sandboxOf('old')?.endpoints[0]?.dnsNames, ['new', 'alias']);
      assert.equal(stack.sandboxOf('old')?.containerName, 'new');
    },
  ],
  [
    'keeps the new names of a container that is renamed while its ports move',
    async ({ stack, reopen }) => {
      const options = { 'com.docker.network.bridge.host_binding_ipv4': '127.0.0.1' };
      const home = await stack.create({ name: 'home', ...subnet(6) });
      const away = await stack.create({ name: 'away', ...subnet(7), options });
      const named = (network: string) => ({ network, dnsNames: ['old', 'service'] });
      const box = await stack.createSandbox({
        ...on('old', [named('home')]),
        containerName: 'old',
        ports: [{ ...tcp(80, 39191), hostIp: '' }],
      });
      const ofNames = (names: string[]) => {
        const found = stack.sandboxOf('old');
        assert.equal(found?.containerName, names[0]);
        for (const { dnsNames } of found?.endpoints ?? []) assert.deepEqual(dnsNames, names);
      };
      const joining = stack.connect(box.sandboxId, { ...named('away'), gwPriority: 1 });
      stack.rename(box.sandboxId, 'new', new Map([[home.id, ['new', 'service']]]));
      assert.deepEqual(
        (await joining).ports.map(({ hostIp }) => hostIp),
        ['127.0.0.1'],
      );
      ofNames(['new', 'service']);
      const leaving = stack.disconnect(box.sandboxId, away.id);
      stack.rename(box.sandboxId, 'last', new Map([home.id, away.id].map((id) => [id, ['last', 'service']])));
      assert.ok((await leaving).ports.every(({ hostIp }) => hostIp !== '127.0.0.1'));
      ofNames(['last', 'service']);
      const next = await reopen(['old']);
      assert.deepEqual(next.sandboxOf('old'), stack.sandboxOf('old'), 'as recorded');
    },
  ],
];

const RESTARTS: [string, Case][] = [
  [
    'keeps live sandboxes over a restart and drops the others',
    async ({ stack, reopen }) => {
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
    },
  ],
  [
    'keeps networks and who is on them over a restart',
    async ({ stack, reopen, routes }) => {
      await stack.create({ name: 'b6', enableIPv6: true });
      await stack.create({ name: 'a4', ...subnet(5) });
      const box = await stack.createSandbox(
        on('web', [{ network: 'a4' }, { network: 'b6' }], [tcp(80, 39188)]),
      );
      const before = [stack.list(), routes(box)];
      await stack.close({ removeKernelObjects: false });
      const next = await reopen(['web']);
      assert.deepEqual([next.list(), routes(box)], before);
      assert.deepEqual(next.sandboxOf('web'), box);
      const left = await next.disconnect(box.sandboxId, next.get('b6').id);
      assert.equal(left.ports[0]?.hostPort, 39188);
      await next.remove('b6');
    },
  ],
];
