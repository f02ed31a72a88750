import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HostConfig } from '../../api/index.ts';
import { namespacesOf, privateCgroup, privateNetwork } from './namespaces.ts';
import { maskedPaths, readonlyPaths } from './paths.ts';
import { sysctlsOf } from './sysctls.ts';

const types = (hostConfig: HostConfig, version: 1 | 2 = 2) =>
  namespacesOf(hostConfig, {}, version).map(({ type }) => type);

describe('namespaces', () => {
  it('are all made anew when nothing is said', () => {
    assert.deepEqual(types({}), ['mount', 'network', 'uts', 'pid', 'ipc', 'cgroup']);
    for (const { path } of namespacesOf({}, {}, 2)) assert.equal(path, undefined);
  });

  it('that are the host’s are left out, one by one; the mounts never are', () => {
    const cases: [HostConfig, string][] = [
      [{ NetworkMode: 'host' }, 'network'],
      [{ UTSMode: 'host' }, 'uts'],
      [{ PidMode: 'host' }, 'pid'],
      [{ IpcMode: 'host' }, 'ipc'],
      [{ CgroupnsMode: 'host' }, 'cgroup'],
    ];
    for (const [hostConfig, missing] of cases)
      assert.deepEqual(
        types(hostConfig),
        types({}).filter((type) => type !== missing),
      );
    assert.deepEqual(types(Object.assign({}, ...cases.map(([hostConfig]) => hostConfig))), ['mount']);
  });

  it('of another container are joined by path, and never made in its stead', () => {
    const paths = { network: '/n', ipc: '/i', pid: '/p' };
    const asked = { NetworkMode: 'container:x', IpcMode: 'container:x', PidMode: 'container:x' };
    const joined = namespacesOf(asked, paths, 1).filter(({ path }) => path !== undefined);
    assert.deepEqual(joined, [
      { type: 'network', path: '/n' },
      { type: 'pid', path: '/p' },
      { type: 'ipc', path: '/i' },
    ]);
    for (const mode of ['IpcMode', 'PidMode'])
      assert.throws(() => namespacesOf({ [mode]: 'container:x' }, {}, 1), { kind: 'internal' }, mode);
  });

  it('paths that nobody asked to join are not joined', () => {
    const made = namespacesOf({}, { ipc: '/i', pid: '/p' }, 1);
    assert.ok(made.every(({ path }) => path === undefined));
  });

  it('of cgroups follow the mode, then the version and the privileges', () => {
    const cases: [HostConfig, 1 | 2, boolean][] = [
      [{}, 1, false],
      [{}, 2, true],
      [{ Privileged: true }, 2, false],
      [{ Privileged: true, CgroupnsMode: 'private' }, 2, true],
      [{ CgroupnsMode: 'private' }, 1, true],
      [{ CgroupnsMode: 'host' }, 2, false],
    ];
    for (const [hostConfig, version, expected] of cases)
      assert.equal(privateCgroup(hostConfig, version), expected, JSON.stringify([hostConfig, version]));
  });
});

describe('settings of the network', () => {
  it('are the container’s only with a network of its own', () => {
    for (const mode of [undefined, 'default', 'bridge', 'none', 'mine', 'hosts', 'containers'])
      assert.equal(privateNetwork(mode === undefined ? {} : { NetworkMode: mode }), true, mode);
    for (const NetworkMode of ['host', 'container:x']) {
      assert.equal(privateNetwork({ NetworkMode }), false);
      assert.deepEqual(sysctlsOf({}, { NetworkMode }), {});
    }
  });

  it('that the request gives come before the defaults', () => {
    const Sysctls = { 'net.ipv4.ip_unprivileged_port_start': '1024' };
    assert.equal(sysctlsOf({}, { Sysctls })['net.ipv4.ip_unprivileged_port_start'], '1024');
  });

  it('are refused where they would be the host’s, each with its reason', () => {
    const cases: [string, HostConfig, string][] = [
      ['kernel.panic', {}, 'sysctl "kernel.panic" is not in a separate kernel namespace'],
      ['vm.swappiness', {}, 'sysctl "vm.swappiness" is not in a separate kernel namespace'],
      ['netfilter', {}, 'sysctl "netfilter" is not in a separate kernel namespace'],
      ['kernel.shmmaxx', {}, 'sysctl "kernel.shmmaxx" is not in a separate kernel namespace'],
      ['kernel.hostname', {}, 'sysctl "kernel.hostname" is not in a separate kernel namespace'],
      [
        'kernel.domainname',
        { UTSMode: 'host' },
        'sysctl "kernel.domainname" is not in a separate kernel namespace',
      ],
      ['net.x', { NetworkMode: 'host' }, 'sysctl "net.x" not allowed in host network namespace'],
      [
        'fs.mqueue.msg_max',
        { IpcMode: 'host' },
        'sysctl "fs.mqueue.msg_max" is not allowed in the hosts ipc namespace',
      ],
      ['kernel.sem', { IpcMode: 'host' }, 'sysctl "kernel.sem" is not allowed in the hosts ipc namespace'],
    ];
    for (const [name, hostConfig, message] of cases)
      assert.throws(() => sysctlsOf({}, { ...hostConfig, Sysctls: { [name]: '1' } }), {
        kind: 'invalid',
        message,
      });
    const fine = { 'kernel.sem': '1', 'fs.mqueue.msg_max': '2', 'kernel.domainname': 'd' };
    assert.equal(Object.keys(sysctlsOf({}, { Sysctls: fine, NetworkMode: 'host' })).length, 3);
    assert.throws(() => sysctlsOf({ Domainname: 'd' }, { UTSMode: 'host' }), /kernel\.domainname/);
  });
});

describe('paths', () => {
  it('that are masked or protected are the request’s, when it names any', () => {
    assert.deepEqual(maskedPaths({ MaskedPaths: ['/a'] }, [0]), ['/a']);
    assert.deepEqual(maskedPaths({ MaskedPaths: [] }, [0]), []);
    assert.deepEqual(readonlyPaths({ ReadonlyPaths: ['/b'] }), ['/b']);
    assert.deepEqual(readonlyPaths({ ReadonlyPaths: [] }), []);
  });

  it('are none for who is trusted with all, whatever the request names', () => {
    const named = { MaskedPaths: ['/a'], ReadonlyPaths: ['/b'] };
    for (const trusted of [
      { Privileged: true },
      { SecurityOpt: ['systempaths=unconfined'] },
      { SecurityOpt: ['label=disable', 'systempaths:unconfined'] },
    ]) {
      assert.deepEqual(maskedPaths({ ...named, ...trusted }, [0]), []);
      assert.deepEqual(readonlyPaths({ ...named, ...trusted }), []);
    }
    for (const near of ['systempaths=unconfined2', 'xsystempaths=unconfined', 'systempaths'])
      assert.ok(maskedPaths({ SecurityOpt: [near] }, []).includes('/proc/kcore'), near);
  });

  it('of one container are not those of another', () => {
    maskedPaths({}, [7]).push('/mine');
    assert.ok(!maskedPaths({}, []).some((path) => path === '/mine' || path.includes('cpu7')));
  });
});
