import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openMemoryDatabase } from '../../meta/index.ts';
import type { SandboxRecord } from '../../network/types.ts';
import { containerDirectory } from './container-paths.ts';
import { openContainerStore } from './container-store.ts';
import { hostsContent, resolvConfContent, writeNetworkFiles } from './network-files.ts';
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
