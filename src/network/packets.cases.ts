// Run by packets.test.ts in a network namespace of its own, which stands for the host.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { silentLog } from '../base/index.ts';
import { openMemoryDatabase } from '../meta/index.ts';
import { createNetns, deleteNetns, RouteSocket, runNft } from '../sys/index.ts';
import { openNetworkStack } from './open.ts';
import { fetchFrom, makeLan, serve, stopServing } from './packets-lab.ts';
import type { HostNetworkStack } from './stack.ts';
import { networkStackSuite } from './suite.ts';
import type { PortRequest, SandboxRecord } from './types.ts';

const dir = mkdtempSync(join(tmpdir(), 'wharf-packets-'));
const lanPin = join(dir, 'lan');
const database = openMemoryDatabase();
const config = { bridge: 'wpk0', nftTable: 'wharf-packets', bip: '10.213.0.1/24', readySandboxes: 2 };
let stack: HostNetworkStack;

const open = () => openNetworkStack({ database, execRoot: dir, config, log: silentLog });

const tcp = (containerPort: number, hostPort: number, hostIp = ''): PortRequest => ({
  protocol: 'tcp',
  containerPort,
  hostPort,
  hostIp,
});

async function container(containerId: string, ports: PortRequest[] = []): Promise<SandboxRecord> {
  return stack.createSandbox({ containerId, endpoints: [{ network: 'bridge' }], ports });
}

const address = (box: SandboxRecord) => box.endpoints[0]!.ipv4;

describe('packets of the default bridge', () => {
  let web: SandboxRecord;
  let other: SandboxRecord;

  before(async () => {
    makeLan(lanPin);
    stack = open();
    await stack.recover(new Set());
    web = await container('web', [tcp(80, 8080), tcp(80, 8081, '127.0.0.1'), tcp(80, 8082, '192.0.2.1')]);
    other = await container('other');
    await serve(web.netnsPath, 80, 'web');
    await serve(web.netnsPath, 81, 'unpublished');
    await serve(lanPin, 90, 'lan');
  });

  after(async () => {
    stopServing();
    for (const box of stack.sandboxes()) await stack.removeSandbox(box.sandboxId);
    await stack.close({ removeKernelObjects: true });
    deleteNetns(lanPin);
    rmSync(dir, { recursive: true });
  });

  it('lets the host reach a container by its address', async () => {
    assert.equal(await fetchFrom(undefined, address(web), 80), 'web 10.213.0.1');
  });

  it('publishes on loopback without a proxy', async () => {
    assert.equal(await fetchFrom(undefined, '127.0.0.1', 8080), 'web 10.213.0.1');
    assert.equal(await fetchFrom(undefined, '127.0.0.1', 8081), 'web 10.213.0.1');
  });

  it('publishes on the host address, and to the LAN with the client address kept', async () => {
    assert.match(await fetchFrom(undefined, '192.0.2.1', 8080), /^web /);
    assert.equal(await fetchFrom(lanPin, '192.0.2.1', 8080), 'web 192.0.2.9');
    assert.equal(await fetchFrom(lanPin, '192.0.2.1', 8082), 'web 192.0.2.9');
  });

  it('publishes a port of one address on that address only', async () => {
    assert.equal(await fetchFrom(undefined, '127.0.0.1', 8082), '');
    assert.equal(await fetchFrom(lanPin, '192.0.2.1', 8081), '');
  });

  it('keeps a loopback publication from the LAN, even when the neighbour routes 127.0.0.1 to the host', async () => {
    execFileSync('nsenter', [
      `--net=${lanPin}`,
      'sh',
      '-c',
      'echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet; ip rule add pref 1 lookup 99 to 127.0.0.1; ip rule del pref 0; ip rule add pref 5 lookup local; ip route add 127.0.0.1 via 192.0.2.1 dev eth0 src 192.0.2.9 table 99',
    ]);
    assert.equal(await fetchFrom(lanPin, '127.0.0.1', 8081), '');
  });

  it('gives no unpublished port to a neighbour that routes to the bridge directly', async () => {
    assert.equal(await fetchFrom(lanPin, address(web), 81), '');
    assert.equal(await fetchFrom(lanPin, address(web), 80), '');
  });

  it('lets siblings talk, directly and through the host port', async () => {
    assert.equal(await fetchFrom(other.netnsPath, address(web), 80), `web ${address(other)}`);
    assert.equal(await fetchFrom(other.netnsPath, '192.0.2.1', 8080), 'web 10.213.0.1');
    assert.equal(await fetchFrom(other.netnsPath, '10.213.0.1', 8080), 'web 10.213.0.1');
  });

  it('lets a container reach itself through the host port', async () => {
    assert.equal(await fetchFrom(web.netnsPath, '192.0.2.1', 8080), 'web 10.213.0.1');
  });

  it('hides containers behind the host address outward', async () => {
    assert.equal(await fetchFrom(other.netnsPath, '192.0.2.9', 90), 'lan 192.0.2.1');
  });

  it('lets no container use loopback addresses of the host', async (t) => {
    const secret = createServer((socket) => socket.end('secret'));
    t.after(() => void secret.close());
    await new Promise<void>((resolve) => void secret.listen(8099, '127.0.0.1', resolve));
    execFileSync('nsenter', [
      `--net=${other.netnsPath}`,
      'sh',
      '-c',
      'echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet; ip rule add pref 1 lookup 99 to 127.0.0.1; ip rule del pref 0; ip rule add pref 5 lookup local; ip route add 127.0.0.1 via 10.213.0.1 dev eth0 table 99',
    ]);
    assert.equal(await fetchFrom(other.netnsPath, '127.0.0.1', 8099), '');
    assert.equal(await fetchFrom(undefined, '127.0.0.1', 8099), 'secret');
  });

  it('keeps other bridges of the host out', async () => {
    const pin = join(dir, 'foreign');
    createNetns(pin);
    try {
      execFileSync('ip', ['link', 'add', 'foreign0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pin]);
      using host = RouteSocket.open();
      host.addAddress('foreign0', '10.214.0.1/24');
      host.setUp('foreign0');
      using inside = RouteSocket.open(pin);
      inside.addAddress('eth0', '10.214.0.2/24');
      inside.setUp('eth0');
      inside.addRoute({ gateway: '10.214.0.1' });
      assert.equal(await fetchFrom(pin, address(web), 81), '');
      assert.match(await fetchFrom(pin, '10.214.0.1', 8080), /^web /, 'a published port is for everyone');
      assert.equal(await fetchFrom(web.netnsPath, '10.214.0.1', 8099), '', 'only loopback listens there');
    } finally {
      deleteNetns(pin);
    }
  });

  it('publishes UDP', async () => {
    const box = await container('dns', [{ protocol: 'udp', containerPort: 53, hostIp: '', hostPort: 5300 }]);
    const child = execFile('nsenter', [
      `--net=${box.netnsPath}`,
      process.execPath,
      '-e',
      `const s=require('dgram').createSocket('udp4');s.on('message',(m,r)=>s.send('pong',r.port,r.address));
       s.bind(53,()=>console.log('up'))`,
    ]);
    try {
      await new Promise((resolve) => child.stdout?.once('data', resolve));
      const ask = (pin: string | undefined, ip: string) => {
        const script = `const s=require('dgram').createSocket('udp4');s.send('ping',5300,'${ip}');
          s.on('message',(m)=>{console.log(String(m));s.close()});setTimeout(()=>process.exit(),1500).unref()`;
        const argv = [...(pin ? ['nsenter', `--net=${pin}`] : []), process.execPath, '-e', script];
        return new Promise<string>((resolve) =>
          execFile(argv[0]!, argv.slice(1), (_error, stdout) => resolve(stdout.trim())),
        );
      };
      assert.equal(await ask(undefined, '127.0.0.1'), 'pong');
      assert.equal(await ask(lanPin, '192.0.2.1'), 'pong');
    } finally {
      child.kill('SIGKILL');
      await stack.removeSandbox(box.sandboxId);
    }
  });

  it('keeps the hardware address of the bridge whoever joins', () => {
    using host = RouteSocket.open();
    assert.equal(host.link(config.bridge)?.mac, '02:42:0a:d5:00:01');
  });

  it('counts traffic of the container side', async () => {
    const { eth0 } = await stack.counters(web.sandboxId);
    assert.ok(eth0 && eth0.rxPackets > 5 && eth0.txBytes > 100, JSON.stringify(eth0));
  });

  it('finds everything again after the daemon was killed, and drops what no container owns', async () => {
    const leftover = await container('gone', [tcp(80, 8090)]);
    // A killed daemon closes nothing; its sockets go with the process.
    await stack.close({ removeKernelObjects: false });
    stack = open();
    await stack.recover(new Set(['web', 'other']));
    assert.equal(stack.sandboxOf('web')?.netnsPath, web.netnsPath);
    assert.equal(stack.sandboxOf('gone'), undefined);
    assert.deepEqual(await stack.verify(), []);
    assert.equal(await fetchFrom(lanPin, '192.0.2.1', 8080), 'web 192.0.2.9');
    assert.equal(await fetchFrom(undefined, '127.0.0.1', 8090), '');
    assert.equal(existsSync(leftover.netnsPath), false);
    await assert.rejects(container('late', [tcp(80, 8080)]), /port is already allocated/);
  });

  it('sees and repairs what others broke', async () => {
    runNft('flush ruleset');
    assert.match((await stack.verify()).join('\n'), /nft table inet wharf-packets is missing/);
    await stack.recover(new Set(['web', 'other']));
    assert.deepEqual(await stack.verify(), []);
    assert.equal(await fetchFrom(undefined, '127.0.0.1', 8081), 'web 10.213.0.1');
    using host = RouteSocket.open();
    host.setMaster(web.endpoints[0]!.hostInterface, 0);
    assert.match((await stack.verify()).join('\n'), /is not on its bridge/);
    await stack.recover(new Set(['web', 'other']));
    assert.equal(await fetchFrom(undefined, address(web), 80), 'web 10.213.0.1');
  });

  it('warns of a foreign chain that drops forwarded packets', () => {
    assert.deepEqual(stack.warnings(), []);
    runNft('table ip foreign { chain FORWARD { type filter hook forward priority 0; policy drop; }; }');
    try {
      assert.match(stack.warnings()[0] ?? '', /chain ip foreign FORWARD drops forwarded packets/);
      runNft('add rule ip foreign FORWARD iifname "wpk0" accept');
      assert.deepEqual(stack.warnings(), []);
    } finally {
      runNft('delete table ip foreign');
    }
  });

  it('publishes many ports of one container', async () => {
    const many = Array.from({ length: 200 }, () => tcp(80, 0));
    const box = await container('many', many);
    assert.equal(box.ports.filter(({ hostIp }) => hostIp === '0.0.0.0').length, 200);
    assert.deepEqual(await stack.verify(), []);
    await stack.removeSandbox(box.sandboxId);
    assert.deepEqual(await stack.verify(), []);
  });
});

it('takes over from a daemon that was killed, with what that one kept ready', async () => {
  const execRoot = mkdtempSync(join(tmpdir(), 'wharf-net-'));
  const records = openMemoryDatabase();
  const own = { bridge: 'wpx0', nftTable: 'wharf-killed', bip: '10.213.2.1/24', readySandboxes: 2 };
  const start = () => openNetworkStack({ database: records, execRoot, config: own, log: silentLog });
  const killed = start();
  await killed.recover(new Set());
  const live = await killed.createSandbox({
    containerId: 'live',
    endpoints: [{ network: 'bridge' }],
    ports: [],
  });
  const pins = () => readdirSync(join(execRoot, 'netns'));
  // One that lives, two on the bridge and two bare ones.
  while (pins().length < 5) await new Promise((resolve) => setTimeout(resolve, 20));
  const next = start();
  try {
    await next.recover(new Set(['live']));
    assert.deepEqual(pins().length, 1, 'what was only ready is dropped');
    const boxes = [];
    for (const containerId of ['a', 'b', 'c'])
      boxes.push(await next.createSandbox({ containerId, endpoints: [{ network: 'bridge' }], ports: [] }));
    assert.equal(new Set([live, ...boxes].map(address)).size, 4);
    await serve(live.netnsPath, 80, 'live');
    await serve(boxes[0]!.netnsPath, 80, 'a');
    assert.equal(await fetchFrom(boxes[1]!.netnsPath, address(live), 80), `live ${address(boxes[1]!)}`);
    assert.equal(await fetchFrom(undefined, address(boxes[0]!), 80), 'a 10.213.2.1');
    assert.deepEqual(await next.verify(), []);
  } finally {
    stopServing();
    for (const box of next.sandboxes()) await next.removeSandbox(box.sandboxId);
    await killed.close({ removeKernelObjects: false });
    await next.close({ removeKernelObjects: true });
    rmSync(execRoot, { recursive: true });
  }
});

networkStackSuite('over the kernel of the host', async () => {
  const execRoot = mkdtempSync(join(tmpdir(), 'wharf-net-'));
  const records = openMemoryDatabase();
  const config = { bridge: 'wps0', nftTable: 'wharf-suite', bip: '10.213.1.1/28', readySandboxes: 1 };
  const start = () => openNetworkStack({ database: records, execRoot, config, log: silentLog });
  let current = start();
  await current.recover(new Set());
  return {
    stack: current,
    async reopen(live) {
      current = start();
      await current.recover(new Set(live));
      assert.deepEqual(await current.verify(), []);
      return current;
    },
    routes({ netnsPath }) {
      using inside = RouteSocket.open(netnsPath);
      const names = new Map(inside.links().map(({ index, name }) => [index, name]));
      const text = (wanted: 4 | 6) => {
        const route = inside.routes().find(({ dst, family }) => dst === undefined && family === wanted);
        return route ? `${names.get(route.linkIndex ?? 0)} ${route.gateway}` : '';
      };
      return { 4: text(4), 6: text(6) };
    },
    async dispose() {
      assert.deepEqual(await current.verify(), []);
      for (const box of current.sandboxes()) await current.removeSandbox(box.sandboxId);
      await current.close({ removeKernelObjects: true });
      assert.deepEqual(readdirSync(join(execRoot, 'netns')), []);
      using host = RouteSocket.open();
      const bridges = host.links().filter(({ kind, name }) => kind === 'bridge' && /^(wh-|wps)/.test(name));
      assert.deepEqual(bridges, []);
      rmSync(execRoot, { recursive: true });
    },
  };
});
