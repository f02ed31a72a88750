import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { fakeHost } from './fake-stack.ts';
import type { EndpointRequest, Exposure, NetworkRequest, PortRequest } from './types.ts';

const tcp = (hostPort: number, hostIp = ''): PortRequest => ({
  protocol: 'tcp',
  containerPort: 80,
  hostPort,
  hostIp,
});
const options = (of: Record<string, string>) => ({
  options: Object.fromEntries(
    Object.entries(of).map(([name, value]) => [`com.docker.network.bridge.${name}`, value]),
  ),
});

/** The ways to one container on one network. */
async function ways(
  t: TestContext,
  network: Omit<NetworkRequest, 'name'> | string,
  ports: PortRequest[] = [],
  config = {},
): Promise<Exposure[]> {
  const host = fakeHost();
  t.after(() => host.remove());
  host.kernel.addLink('lan0', 'veth');
  const stack = await host.start([], config);
  const name =
    typeof network === 'string' ? network : (await stack.create({ name: 'mine', ...network })).name;
  const endpoints: EndpointRequest[] = [{ network: name }];
  await stack.createSandbox({ containerId: 'web', endpoints, ports });
  return stack.exposure();
}

const short = (found: Exposure[]) => found.map(({ protocol, at, from }) => `${protocol} ${at} ${from}`);

describe('exposure', () => {
  it('names each published port with its address and how far it reaches', async (t) => {
    const found = await ways(t, 'bridge', [
      tcp(8080),
      tcp(8081, '127.0.0.1'),
      tcp(8082, '192.0.2.1'),
      tcp(8083, '::1'),
    ]);
    assert.deepEqual(short(found), [
      'tcp 0.0.0.0:8080 lan',
      'tcp [::]:8080 lan',
      'tcp 127.0.0.1:8081 host',
      'tcp 192.0.2.1:8082 lan',
      'tcp [::1]:8083 host',
      'any 10.213.0.2 host',
    ]);
    assert.deepEqual(
      [found[0]?.containerPort, found[0]?.network, found[5]?.containerPort],
      [80, 'bridge', 0],
    );
    assert.match(found[0]?.why ?? '', /every address of this host; publish policy "open"/);
    assert.match(found[2]?.why ?? '', /from this host alone/);
  });

  it('says that the host’s rules count where they do', async (t) => {
    const byNetwork = await ways(t, { options: { 'wharf.publish-policy': 'obey' } }, [tcp(8080)]);
    const byDaemon = await ways(t, 'bridge', [tcp(8080)], { publishPolicy: 'obey' });
    for (const [way] of [byNetwork, byDaemon])
      assert.match(way?.why ?? '', /"obey": as far as the host's own/);
  });

  it('names the container’s own address on routed networks', async (t) => {
    const network = { ...options({ gateway_mode_ipv4: 'routed' }), pools: [{ subnet: '10.9.9.0/24' }] };
    const found = await ways(t, network, [tcp(8080)]);
    assert.deepEqual(short(found), ['tcp [::]:8080 lan', 'tcp 10.9.9.2:80 lan', 'any 10.9.9.2 host']);
  });

  it('names what networks leave open, and why', async (t) => {
    const cases: [Omit<NetworkRequest, 'name'> | string, string, RegExp][] = [
      ['host', 'lan', /on the host network/],
      [{ internal: true }, 'host', /nobody beyond: the network is internal/],
      [{ ...options({ enable_icc: 'false' }) }, 'host', /no other container \(icc is off\)/],
      [{ internal: true, ...options({ gateway_mode_ipv4: 'isolated' }) }, 'network', /^isolated: /],
      [{ ...options({ gateway_mode_ipv4: 'nat-unprotected' }) }, 'lan', /"nat-unprotected"/],
      [
        { ...options({ trusted_host_interfaces: 'eth0:eth1' }) },
        'lan',
        /neighbours on eth0, eth1 are trusted/,
      ],
      [{ driver: 'macvlan', options: { parent: 'lan0' } }, 'lan', /macvlan on lan0: its neighbours there/],
      [{ driver: 'macvlan', internal: true }, 'network', /without a parent/],
    ];
    for (const [network, from, why] of cases) {
      const [way] = await ways(t, network);
      assert.deepEqual([way?.protocol, way?.from], ['any', from], JSON.stringify(network));
      assert.match(way?.why ?? '', why);
    }
  });

  it('has a line for each family, and none for a container without an interface', async (t) => {
    const network = { enableIPv6: true, pools: [{ subnet: '10.9.9.0/24' }, { subnet: 'fd00:9::/64' }] };
    assert.deepEqual(short(await ways(t, network)), ['any 10.9.9.2 host', 'any fd00:9::2 host']);
    assert.deepEqual(await ways(t, 'none'), []);
  });
});
