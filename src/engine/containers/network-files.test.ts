import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openMemoryDatabase } from '../../meta/index.ts';
import type { SandboxRecord } from '../../network/types.ts';
import { containerDirectory } from './container-paths.ts';
import { openContainerStore } from './container-store.ts';
import { LiveContainers } from './live.ts';
import {
  hostsContent,
  resolvConfContent,
  updateLinkedFiles,
  updateNetworkFiles,
  writeNetworkFiles,
} from './network-files.ts';
import { testRecord } from './test-fixture.ts';

const sandbox = (ipv4: string) =>
  ({ sandboxId: 's', endpoints: [{ networkName: 'bridge', ipv4 }], ports: [] }) as unknown as SandboxRecord;

function open() {
  const dataRoot = mkdtempSync(join(tmpdir(), 'wharf-files-'));
  const database = openMemoryDatabase();
  const store = openContainerStore(database);
  return {
    dataRoot,
    store,
    networks: {
      hostGateway: (network: string) => (network === 'bridge' ? '172.17.0.1' : undefined),
      resolverConfig: () => ({ nameservers: ['10.0.0.1'], search: ['lan'], options: ['ndots:1'] }),
      sandbox: (id: string) => (id === 'target' ? sandbox('172.17.0.9') : undefined),
    },
    [Symbol.dispose]() {
      database[Symbol.dispose]();
      rmSync(dataRoot, { recursive: true });
    },
  };
}

test('hosts: local names, extra hosts, then the own address with its names', () => {
  using deps = open();
  const record = testRecord({
    config: { Hostname: 'h1.x.y' },
    hostConfig: { NetworkMode: 'bridge', ExtraHosts: ['gw:host-gateway', 'h6:::1'] },
  });
  const lines = hostsContent(deps, record, sandbox('172.17.0.3')).split('\n');
  assert.equal(lines[0], '127.0.0.1\tlocalhost');
  assert.deepEqual(lines.slice(6), ['172.17.0.1\tgw', '::1\th6', '172.17.0.3\th1.x.y h1', '']);
  const domain = testRecord({ config: { Hostname: 'foo', Domainname: 'xx.yy' } });
  assert.ok(hostsContent(deps, domain, sandbox('1.2.3.4')).includes('1.2.3.4\tfoo.xx.yy foo\n'));
  const none = testRecord({ hostConfig: { NetworkMode: 'none', ExtraHosts: ['gw:host-gateway'] } });
  assert.deepEqual(hostsContent(deps, none, undefined).split('\n').slice(6), ['172.17.0.1\tgw', '']);
});

test('hosts: links name a running container', () => {
  using deps = open();
  deps.store.insert(
    testRecord({ id: 'b'.repeat(64), name: 'db', sandboxId: 'target', config: { Hostname: 'bb' } }),
  );
  const record = testRecord({ hostConfig: { NetworkMode: 'bridge', Links: [`${'b'.repeat(64)}:data`] } });
  assert.ok(hostsContent(deps, record, undefined).includes('172.17.0.9\tdata bb db\n'));
  delete deps.store.resolve('db').sandboxId;
  assert.throws(
    () => hostsContent(deps, record, undefined),
    /Cannot link to a non running container: \/db AS \/test_one\/data/,
  );
});

test('resolv.conf: the request wins over the host, and no value starts a line of its own', () => {
  const host = { nameservers: ['10.0.0.1'], search: ['lan'], options: ['ndots:1'] };
  const plain = resolvConfContent(host, testRecord(), undefined);
  assert.match(plain, /^nameserver 10\.0\.0\.1\nsearch lan\noptions ndots:1$/m);
  assert.match(plain, /# Overrides: \[\]\n$/);
  const own = testRecord({
    hostConfig: { Dns: ['8.8.8.8\nnameserver 6.6.6.6', '::1'], DnsSearch: ['.'], DnsOptions: ['ndots:3'] },
  });
  const text = resolvConfContent(host, own, undefined);
  assert.match(text, /^nameserver 8\.8\.8\.8nameserver6\.6\.6\.6\nnameserver ::1\noptions ndots:3$/m);
  assert.doesNotMatch(text, /^search/m);
  assert.match(text, /# Overrides: \[nameservers search options\]/);
});

test('the files are written; a container on the network of another has its files and name', () => {
  using deps = open();
  const owner = testRecord({ id: 'b'.repeat(64), name: 'owner', config: { Hostname: 'front' } });
  deps.store.insert(owner);
  mkdirSync(containerDirectory(deps.dataRoot, owner.id), { recursive: true });
  const paths = writeNetworkFiles(deps, owner, sandbox('172.17.0.3'));
  assert.equal(readFileSync(paths.hostname, 'utf8'), 'front\n');
  assert.ok(readFileSync(paths.hosts, 'utf8').endsWith('172.17.0.3\tfront\n'));
  assert.ok(readFileSync(paths.resolvConf, 'utf8').includes('nameserver 10.0.0.1\n'));
  const guest = testRecord({ hostConfig: { NetworkMode: `container:${owner.id}` } });
  assert.deepEqual(writeNetworkFiles(deps, guest, undefined), paths);
  assert.equal(guest.config.Hostname, 'front');
});

const HOST = { nameservers: ['10.0.0.1'], search: ['lan'], options: ['edns0'] };
const on = (...endpoints: Partial<SandboxRecord['endpoints'][number]>[]) =>
  ({ sandboxId: 's', endpoints, ports: [] }) as unknown as SandboxRecord;
const USER = { networkName: 'one', ipv4: '10.91.0.2', ipv6: 'fd91::2', dnsNames: ['c'] };
const BRIDGE = { networkName: 'bridge', ipv4: '172.17.0.2' };

test('a name server that is no address is refused before a file is written', () => {
  using deps = open();
  for (const wrong of ['nosuch.host', '1.2.3', '', '1.2.3.4 5.6.7.8', '1.2.3.4\nsearch evil']) {
    const record = testRecord({
      hostConfig: { NetworkMode: 'none', Dns: ['8.8.8.8', 'fe80::1%eth0', wrong] },
    });
    assert.throws(() => writeNetworkFiles(deps, record, undefined), {
      kind: 'internal',
      message: `bad nameserver address ${wrong}: ParseAddr(${JSON.stringify(wrong)}): unable to parse IP`,
    });
  }
});

test('resolv.conf on a network of a user: the embedded name server, with where the options come from', () => {
  const tail = (text: string) => text.split('\n').slice(3, -1);
  assert.deepEqual(tail(resolvConfContent(HOST, testRecord(), on(BRIDGE, USER))), [
    'nameserver 127.0.0.11',
    'search lan',
    'options edns0 ndots:0',
    '',
    "# Based on host file: '/etc/resolv.conf' (internal resolver)",
    '# ExtServers: [host(10.0.0.1)]',
    '# Overrides: []',
    '# Option ndots from: internal',
  ]);
  const own = testRecord({
    hostConfig: { Dns: ['1.1.1.1'], DnsSearch: ['a.b'], DnsOptions: ['ndots:2', 'use-vc'] },
  });
  assert.deepEqual(tail(resolvConfContent(HOST, own, on(USER))), [
    'nameserver 127.0.0.11',
    'search a.b',
    'options ndots:2 use-vc',
    '',
    "# Based on host file: '/etc/resolv.conf' (internal resolver)",
    '# ExtServers: [1.1.1.1]',
    '# Overrides: [nameservers search options]',
    '# Option ndots from: override',
  ]);
  const host = { ...HOST, options: ['ndots:3'] };
  assert.match(
    resolvConfContent(host, testRecord(), on(USER)),
    /options ndots:3\n(.*\n)+# Option ndots from: host\n$/,
  );
});

function written(deps: ReturnType<typeof open>, sandboxRecord: SandboxRecord) {
  const record = testRecord({ hostConfig: { NetworkMode: 'bridge' } });
  mkdirSync(containerDirectory(deps.dataRoot, record.id), { recursive: true });
  return { record, paths: writeNetworkFiles(deps, record, sandboxRecord) };
}

test('a connect and a disconnect change the addresses in hosts, and nothing that the container wrote', () => {
  using deps = open();
  const { record, paths } = written(deps, on(BRIDGE));
  appendFileSync(paths.hosts, '1.2.3.4\tmine');
  const hosts = () => readFileSync(paths.hosts, 'utf8').split('\n').slice(6);
  updateNetworkFiles(deps, record, on(BRIDGE), on(BRIDGE, USER));
  const own = 'aaaaaaaaaaaa';
  assert.deepEqual(hosts(), [
    `172.17.0.2\t${own}`,
    '1.2.3.4\tmine',
    `10.91.0.2\t${own}`,
    `fd91::2\t${own}`,
    '',
  ]);
  assert.match(readFileSync(paths.resolvConf, 'utf8'), /^nameserver 127\.0\.0\.11$/m);
  updateNetworkFiles(deps, record, on(BRIDGE, USER), on(USER));
  assert.deepEqual(hosts(), ['1.2.3.4\tmine', `10.91.0.2\t${own}`, `fd91::2\t${own}`, '']);
  updateNetworkFiles(deps, record, on(USER), on());
  assert.deepEqual(hosts(), ['1.2.3.4\tmine', '']);
  assert.match(readFileSync(paths.resolvConf, 'utf8'), /^nameserver 10\.0\.0\.1$/m, 'nobody answers inside');
});

test('a resolv.conf that the container edited is its own; a hosts file without end is made anew', () => {
  using deps = open();
  const { record, paths } = written(deps, on(BRIDGE));
  writeFileSync(paths.resolvConf, 'nameserver 5.5.5.5\n');
  writeFileSync(paths.hosts, 'x'.repeat(1024 * 1024 + 1));
  updateNetworkFiles(deps, record, on(BRIDGE), on(USER));
  assert.equal(readFileSync(paths.resolvConf, 'utf8'), 'nameserver 5.5.5.5\n');
  assert.equal(readFileSync(paths.hosts, 'utf8').split('\n')[6], '10.91.0.2\taaaaaaaaaaaa');
});

test('a linked container that comes back elsewhere is followed in the hosts files of those that run', () => {
  using deps = open();
  const target = testRecord({
    id: 'b'.repeat(64),
    name: 'db',
    sandboxId: 'target',
    config: { Hostname: 'bb' },
  });
  const linker = testRecord({
    hostConfig: { NetworkMode: 'bridge', Links: [`${target.id}:data`, `${target.id}:db`] },
  });
  const stranger = testRecord({ id: 'c'.repeat(64), name: 'stranger' });
  for (const one of [target, linker, stranger]) {
    deps.store.insert(one);
    mkdirSync(containerDirectory(deps.dataRoot, one.id), { recursive: true });
  }
  const { hosts } = writeNetworkFiles(deps, linker, on(BRIDGE));
  const links = () => readFileSync(hosts, 'utf8').split('\n').slice(6);
  const own = '172.17.0.2\taaaaaaaaaaaa';
  assert.deepEqual(links(), ['172.17.0.9\tdata bb db', '172.17.0.9\tdb bb', own, '']);
  const live = new LiveContainers();
  for (const one of [target, linker, stranger]) live.of(one.id).task = {} as never;
  updateLinkedFiles({ ...deps, live }, target, on({ ...BRIDGE, ipv4: '172.17.0.30' }));
  assert.deepEqual(links(), ['172.17.0.30\tdata bb db', '172.17.0.30\tdb bb', own, '']);
  updateLinkedFiles({ ...deps, live }, target, on(USER));
  assert.equal(links()[0], '172.17.0.30\tdata bb db', 'links are the default bridge’s');
});
