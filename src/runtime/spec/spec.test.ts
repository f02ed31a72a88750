import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ContainerConfig, HostConfig } from '../../api/index.ts';
import type { OciSpec } from '../spec-types.ts';
import { hostOf, inputOf } from './spec.cases.ts';
import { assembleSpec, cgroupPath } from './spec.ts';

const spec = (hostConfig?: HostConfig, config?: ContainerConfig) => assembleSpec(inputOf(hostConfig, config));
const types = (made: OciSpec) => made.linux.namespaces.map(({ type }) => type).sort();
const mountAt = (made: OciSpec, at: string) => made.mounts.find(({ destination }) => destination === at);
const sorted = (names: readonly string[] | undefined) => [...(names ?? [])].sort();

/** What the reference engine's own documents say, for a container that asks for nothing. */
const PLAIN_CAPABILITIES = [
  'CAP_AUDIT_WRITE',
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_MKNOD',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_RAW',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
];

describe('a container that asks for nothing', () => {
  const made = spec();

  it('runs its program as root in /, with the default environment', () => {
    const { process } = made;
    assert.deepEqual(process?.args, ['sleep', '30']);
    assert.equal(process?.cwd, '/');
    assert.deepEqual(process?.user, { uid: 0, gid: 0, additionalGids: [0, 10] });
    assert.deepEqual(process?.env, [
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'HOSTNAME=h1',
      'HOME=/root',
    ]);
    assert.equal(process?.oomScoreAdj, 0);
    assert.equal(process?.noNewPrivileges, false);
    assert.equal(process?.rlimits, undefined);
  });

  it('has fourteen capabilities, none inheritable or ambient', () => {
    const { bounding, effective, permitted, inheritable, ambient } = made.process?.capabilities ?? {};
    for (const set of [bounding, effective, permitted]) assert.deepEqual(sorted(set), PLAIN_CAPABILITIES);
    assert.deepEqual([inheritable, ambient], [[], []]);
  });

  it('has its own namespaces, the cgroup one on v2 only', () => {
    assert.deepEqual(types(made), ['ipc', 'mount', 'network', 'pid', 'uts']);
    assert.equal(made.linux.namespaces.find(({ type }) => type === 'network')?.path, '/run/netns/c1');
    const v2 = { ...hostOf().cgroup, version: 2 as const };
    const other = assembleSpec(inputOf({}, {}, { host: hostOf({ cgroup: v2 }) }));
    assert.ok(types(other).includes('cgroup'));
  });

  it('mounts the kernel file systems closed', () => {
    assert.deepEqual(
      made.mounts.map(({ destination }) => destination),
      ['/proc', '/dev', '/dev/pts', '/sys', '/sys/fs/cgroup', '/dev/mqueue', '/dev/shm'],
    );
    for (const at of ['/proc', '/dev/mqueue', '/dev/shm', '/sys', '/sys/fs/cgroup'])
      for (const word of ['nosuid', 'noexec', 'nodev'])
        assert.ok(mountAt(made, at)?.options?.includes(word), `${at} ${word}`);
    for (const at of ['/sys', '/sys/fs/cgroup']) assert.ok(mountAt(made, at)?.options?.includes('ro'), at);
    assert.ok(mountAt(made, '/dev/shm')?.options?.includes('size=67108864'));
  });

  it('hides and protects what Docker does', () => {
    assert.deepEqual(sorted(made.linux.maskedPaths), [
      '/proc/acpi',
      '/proc/asound',
      '/proc/interrupts',
      '/proc/kcore',
      '/proc/keys',
      '/proc/latency_stats',
      '/proc/sched_debug',
      '/proc/scsi',
      '/proc/timer_list',
      '/proc/timer_stats',
      '/sys/devices/virtual/powercap',
      '/sys/firmware',
    ]);
    assert.deepEqual(sorted(made.linux.readonlyPaths), [
      '/proc/bus',
      '/proc/fs',
      '/proc/irq',
      '/proc/sys',
      '/proc/sysrq-trigger',
    ]);
    const hot = assembleSpec(inputOf({}, {}, { host: hostOf({ thermalCpus: [1] }) }));
    assert.ok(hot.linux.maskedPaths?.includes('/sys/devices/system/cpu/cpu1/thermal_throttle'));
  });

  it('denies all devices but the harmless ones, fuse by name', () => {
    const rules = made.linux.resources?.devices ?? [];
    assert.deepEqual(rules[0], { allow: false, access: 'rwm' });
    assert.deepEqual(
      rules.filter(({ allow }) => allow).map(({ major, minor }) => `${major}:${minor}`),
      ['1:5', '1:3', '1:9', '1:8', '5:0', '5:1'],
    );
    assert.deepEqual(rules.at(-1), { allow: false, type: 'c', major: 10, minor: 229, access: 'rwm' });
  });

  it('lets low ports and ping be used in its network', () => {
    assert.deepEqual(made.linux.sysctl, {
      'net.ipv4.ip_unprivileged_port_start': '0',
      'net.ipv4.ping_group_range': '0 2147483647',
    });
  });
});

describe('privileged', () => {
  const made = spec({ Privileged: true });

  it('has all capabilities and devices, nothing masked, and no filter', () => {
    assert.equal(made.process?.capabilities?.bounding?.length, hostOf().capabilities.length);
    assert.deepEqual([made.linux.maskedPaths, made.linux.readonlyPaths], [[], []]);
    assert.equal(made.linux.seccomp, undefined);
    assert.deepEqual(made.linux.resources?.devices, [{ allow: true, access: 'rwm' }]);
    assert.deepEqual(
      made.linux.devices?.map(({ path }) => path),
      ['/dev/fuse', '/dev/sda', '/dev/snd/seq'],
    );
    assert.ok(!mountAt(made, '/sys')?.options?.includes('ro'));
  });

  it('never gives what the daemon does not have', () => {
    const host = hostOf({ capabilities: ['CAP_CHOWN', 'CAP_KILL'] });
    const weak = assembleSpec(inputOf({ Privileged: true }, {}, { host }));
    assert.deepEqual(weak.process?.capabilities?.bounding, ['CAP_CHOWN', 'CAP_KILL']);
  });
});

describe('options', () => {
  it('host modes leave the namespaces out, and with the network its settings', () => {
    const made = spec({ NetworkMode: 'host', UTSMode: 'host', PidMode: 'host', IpcMode: 'host' });
    assert.deepEqual(types(made), ['mount']);
    assert.deepEqual(made.linux.sysctl, {});
    assert.equal(made.hostname, undefined);
    assert.equal(mountAt(made, '/dev/shm')?.source, '/dev/shm');
  });

  it('joins what is resolved, and refuses what is not', () => {
    const namespaces = { ipc: '/proc/7/ns/ipc', pid: '/proc/7/ns/pid' };
    const joining = { IpcMode: 'container:x', PidMode: 'container:x' };
    const made = assembleSpec(inputOf(joining, {}, { namespaces, shmPath: '/shm' }));
    for (const type of ['ipc', 'pid'])
      assert.equal(made.linux.namespaces.find((one) => one.type === type)?.path, `/proc/7/ns/${type}`);
    assert.equal(mountAt(made, '/dev/shm')?.source, '/shm');
    assert.throws(() => assembleSpec(inputOf(joining)), /was not resolved/);
  });

  it('ipc none has no /dev/shm; a size is kept', () => {
    assert.equal(mountAt(spec({ IpcMode: 'none' }), '/dev/shm'), undefined);
    assert.ok(mountAt(spec({ ShmSize: 1048576 }), '/dev/shm')?.options?.includes('size=1048576'));
  });

  it('a read-only root keeps kernel interfaces writable', () => {
    const made = spec({ ReadonlyRootfs: true });
    assert.equal(made.root.readonly, true);
    for (const at of ['/dev', '/dev/shm', '/proc'])
      assert.ok(!mountAt(made, at)?.options?.includes('ro'), at);
  });

  it('a mount of the request takes the place of a default one', () => {
    const mine = { destination: '/dev/shm', type: 'bind', source: '/x', options: ['rbind'] };
    const made = assembleSpec(inputOf({}, {}, { mounts: [mine] }));
    assert.deepEqual(
      made.mounts.filter(({ destination }) => destination === '/dev/shm'),
      [mine],
    );
  });

  it('systempaths=unconfined shows all, no-new-privileges is on when asked', () => {
    const made = spec({ SecurityOpt: ['systempaths=unconfined', 'no-new-privileges', 'seccomp=unconfined'] });
    assert.deepEqual([made.linux.maskedPaths, made.linux.readonlyPaths], [[], []]);
    assert.equal(made.process?.noNewPrivileges, true);
    const byDaemon = { defaults: { noNewPrivileges: true } };
    assert.equal(assembleSpec(inputOf({}, {}, byDaemon)).process?.noNewPrivileges, true);
    const unless = { SecurityOpt: ['no-new-privileges=false'] };
    assert.equal(assembleSpec(inputOf(unless, {}, byDaemon)).process?.noNewPrivileges, false);
  });

  it('init stands before the program, and must be there', () => {
    const made = spec({ Init: true });
    assert.deepEqual(made.process?.args, ['/sbin/docker-init', '--', 'sleep', '30']);
    assert.equal(mountAt(made, '/sbin/docker-init')?.source, '/usr/bin/tini');
    const none = { host: hostOf({ initBinary: undefined }) };
    assert.throws(() => assembleSpec(inputOf({ Init: true }, {}, none)), /docker-init/);
  });

  it('a terminal brings TERM and its size', () => {
    const made = spec({ ConsoleSize: [24, 80] }, { Tty: true });
    assert.equal(made.process?.terminal, true);
    assert.deepEqual(made.process?.consoleSize, { height: 24, width: 80 });
    assert.ok(made.process?.env?.includes('TERM=xterm'));
  });

  it('limits reach the kernel as they were asked', () => {
    const made = spec({
      Memory: 67108864,
      MemorySwap: 134217728,
      MemoryReservation: 33554432,
      NanoCpus: 500_000_000,
      PidsLimit: 50,
      CpuShares: 512,
      CpusetCpus: '0',
    });
    const { memory, cpu, pids } = made.linux.resources ?? {};
    assert.deepEqual(memory, { limit: 67108864, swap: 134217728, reservation: 33554432 });
    assert.deepEqual(cpu, { shares: 512, quota: 50000, period: 100000, cpus: '0' });
    assert.deepEqual(pids, { limit: 50 });
  });

  it('annotations for the runtime itself are not the request’s to give', () => {
    const made = spec({ Annotations: { 'run.oci.hooks.stderr': '/etc/x', mine: '1' } });
    assert.deepEqual(made.annotations, { mine: '1' });
  });

  it('a cgroup parent can not lead out', () => {
    assert.equal(cgroupPath(inputOf()), '/docker/c1');
    assert.equal(cgroupPath(inputOf({ CgroupParent: '../../x' })), '/x/c1');
    assert.equal(cgroupPath(inputOf({ CgroupParent: '/a/../..' })), '/c1');
  });

  it('an oom score is lowered only where that can be done', () => {
    const weak = { host: hostOf({ sysResource: false, oomScoreAdj: 0 }) };
    assert.equal(assembleSpec(inputOf({ OomScoreAdj: -500 }, {}, weak)).process?.oomScoreAdj, undefined);
    assert.equal(assembleSpec(inputOf({ OomScoreAdj: 500 }, {}, weak)).process?.oomScoreAdj, 500);
    assert.equal(spec({ OomScoreAdj: -500 }).process?.oomScoreAdj, -500);
  });
});
