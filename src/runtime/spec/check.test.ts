import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ContainerConfig, HostConfig } from '../../api/index.ts';
import type { HostFacts } from '../spec-input.ts';
import { checkHostConfig, checkLimits } from './check.ts';
import { CGROUP_V1, hostOf, NO_CGROUPS } from './spec.cases.ts';

const MIB = 1024 * 1024;
const SMALLEST = 6 * MIB;
const check = (hostConfig: HostConfig, config: ContainerConfig = {}, host: Partial<HostFacts> = {}) =>
  checkHostConfig(config, hostConfig, hostOf(host));

/** Docker's text for a request; undefined for one that it takes. On a host of four processors, one memory node. */
const REFUSALS: [HostConfig, string | undefined][] = [
  [{}, undefined],
  [{ Memory: SMALLEST }, undefined],
  [{ Memory: SMALLEST - 1 }, 'Minimum memory limit allowed is 6MB'],
  [{ Memory: 1 }, 'Minimum memory limit allowed is 6MB'],
  [{ Memory: -1 }, 'Minimum memory limit allowed is 6MB'],
  [{ Memory: 8 * MIB, MemorySwap: 8 * MIB }, undefined],
  [
    { Memory: 8 * MIB, MemorySwap: 8 * MIB - 1 },
    'Minimum memoryswap limit should be larger than memory limit, see usage',
  ],
  [{ Memory: 8 * MIB, MemorySwap: -1 }, undefined],
  [{ MemorySwap: -1 }, undefined],
  [{ MemorySwap: 8 * MIB }, 'You should always set the Memory limit when using Memoryswap limit, see usage'],
  [{ MemoryReservation: SMALLEST }, undefined],
  [{ MemoryReservation: 100 }, 'Minimum memory reservation allowed is 6MB'],
  [{ MemoryReservation: -1 }, undefined],
  [{ Memory: 8 * MIB, MemoryReservation: 8 * MIB }, undefined],
  [
    { Memory: 8 * MIB, MemoryReservation: 8 * MIB + 1 },
    'Minimum memory limit can not be less than memory reservation limit, see usage',
  ],
  [{ MemorySwappiness: -1 }, undefined],
  [{ MemorySwappiness: 0 }, undefined],
  [{ MemorySwappiness: 100 }, undefined],
  [{ MemorySwappiness: 101 }, 'Invalid value: 101, valid memory swappiness range is 0-100'],
  [{ MemorySwappiness: -2 }, 'Invalid value: -2, valid memory swappiness range is 0-100'],
  [{ NanoCpus: 4e9 }, undefined],
  [{ NanoCpus: 4e9 + 1 }, 'range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available'],
  [{ NanoCpus: -1 }, 'range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available'],
  [{ NanoCpus: 1, CpuPeriod: 1000 }, 'Conflicting options: Nano CPUs and CPU Period cannot both be set'],
  [{ NanoCpus: 1, CpuQuota: 1000 }, 'Conflicting options: Nano CPUs and CPU Quota cannot both be set'],
  [{ CpuPeriod: 1000, CpuQuota: 1000 }, undefined],
  [{ CpuPeriod: 1_000_000 }, undefined],
  ...[999, 1_000_001, -5].map((CpuPeriod): [HostConfig, string] => [
    { CpuPeriod },
    'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
  ]),
  [{ CpuQuota: 999 }, 'CPU cfs quota can not be less than 1ms (i.e. 1000)'],
  [{ CpuQuota: -1 }, undefined],
  [{ CpuShares: -1 }, 'invalid CPU shares (-1): value must be a positive integer'],
  [{ CpusetCpus: '0-3' }, undefined],
  [{ CpusetCpus: 'a' }, 'Invalid value a for cpuset cpus: invalid format: a'],
  [{ CpusetCpus: '0-' }, 'Invalid value 0- for cpuset cpus: invalid format: 0-'],
  [{ CpusetCpus: '1-0' }, 'Invalid value 1-0 for cpuset cpus: invalid format: 1-0'],
  [{ CpusetCpus: '0,,1' }, 'Invalid value 0,,1 for cpuset cpus: invalid format: 0,,1'],
  [{ CpusetCpus: '0-64' }, 'Requested CPUs are not available - requested 0-64, available: 0-3'],
  [{ CpusetMems: '7' }, 'Requested memory nodes are not available - requested 7, available: 0'],
  [{ CpusetMems: 'x-' }, 'Invalid value x- for cpuset mems: invalid format: x-'],
  [{ BlkioWeight: 10 }, undefined],
  [{ BlkioWeight: 1000 }, undefined],
  [{ BlkioWeight: 9 }, 'Range of blkio weight is from 10 to 1000'],
  [{ BlkioWeight: 1001 }, 'Range of blkio weight is from 10 to 1000'],
  [{ OomScoreAdj: 1000 }, undefined],
  [{ OomScoreAdj: -1000 }, undefined],
  [{ OomScoreAdj: 1001 }, 'Invalid value 1001, range for oom score adj is [-1000, 1000]'],
  [{ OomScoreAdj: -1001 }, 'Invalid value -1001, range for oom score adj is [-1000, 1000]'],
  [{ IpcMode: 'shareable' }, undefined],
  [{ IpcMode: 'container:x' }, undefined],
  [{ IpcMode: 'foo' }, 'invalid IPC mode: foo'],
  [{ IpcMode: 'hostile' }, 'invalid IPC mode: hostile'],
  [{ PidMode: 'host' }, undefined],
  [{ PidMode: 'container:' }, 'invalid PID mode: container:'],
  [{ PidMode: 'foo' }, 'invalid PID mode: foo'],
  [{ UTSMode: 'host' }, undefined],
  [{ UTSMode: 'private' }, 'invalid UTS mode: private'],
  [{ UTSMode: 'container:x' }, 'invalid UTS mode: container:x'],
  [{ CgroupnsMode: 'private' }, undefined],
  [{ CgroupnsMode: 'host' }, undefined],
  [{ CgroupnsMode: 'foo' as 'host' }, 'invalid cgroup namespace mode: foo'],
  [{ UsernsMode: 'host' }, undefined],
  [{ Isolation: 'DEFAULT' as 'default' }, undefined],
  [{ Isolation: 'hyperv' }, "invalid isolation (hyperv): linux only supports 'default'"],
  [{ ShmSize: 0 }, undefined],
  [{ ShmSize: -1 }, 'SHM size can not be less than 0'],
  [{ CapAdd: ['NOPE'] }, 'invalid CapAdd: unknown capability: "CAP_NOPE"'],
  [{ CapDrop: ['NOPE'] }, 'invalid CapDrop: unknown capability: "CAP_NOPE"'],
  [{ SecurityOpt: ['nope'] }, 'invalid --security-opt 1: "nope"'],
  [{ DeviceCgroupRules: ['d 1:2 r'] }, "invalid device cgroup rule format: 'd 1:2 r'"],
  [{ Ulimits: [{ Name: 'x', Soft: 1, Hard: 1 }] }, 'invalid ulimit type: x'],
  [
    { Ulimits: [{ Name: 'nofile', Soft: 5, Hard: 1 }] },
    'ulimit soft limit must be less than or equal to hard limit: 5 > 1',
  ],
  [
    { DeviceRequests: [{ Driver: 'nvidia', Capabilities: [['gpu', 'x'], ['y']] }] },
    'could not select device driver "nvidia" with capabilities: [[gpu x] [y]]',
  ],
  [{ DeviceRequests: [{}] }, 'could not select device driver "" with capabilities: []'],
];

describe('a request', () => {
  for (const [asked, expected] of REFUSALS) {
    it(`${JSON.stringify(asked)}: ${expected ?? 'is taken'}`, () => {
      if (expected === undefined) assert.deepEqual(check(asked), []);
      else assert.throws(() => check(asked), { kind: 'invalid', message: expected });
    });
  }

  it('with a working directory that is not absolute is refused', () => {
    assert.throws(() => check({}, { WorkingDir: 'a/b' }), {
      kind: 'invalid',
      message: "the working directory 'a/b' is invalid, it needs to be an absolute path",
    });
    for (const WorkingDir of ['', '/', '/a/../b']) assert.deepEqual(check({}, { WorkingDir }), []);
  });

  it('can not name a host that shares its name with this one', () => {
    assert.throws(() => check({ UTSMode: 'host' }, { Hostname: 'h' }), {
      message: 'conflicting options: hostname and the UTS mode',
    });
    assert.deepEqual(check({ UTSMode: 'host' }, { Hostname: '' }), []);
  });

  it('is not changed by being checked, and no text of it is run into another', () => {
    const asked: HostConfig = {
      Memory: 8 * MIB,
      CapAdd: ['net_admin'],
      Devices: [{ PathOnHost: '/dev/fuse' }],
      Ulimits: [{ Name: 'nofile', Soft: 9, Hard: 9999 }],
      Annotations: { 'run.oci.handler': 'krun', mine: '1' },
    };
    const copy = structuredClone(asked);
    const once = check(asked, {}, { sysResource: false });
    assert.deepEqual(asked, copy);
    assert.deepEqual(check(asked, {}, { sysResource: false }), once);
    assert.equal(once.length, 2);
  });

  it('for a device that is not there yet is taken: it is looked for at the start', () => {
    assert.deepEqual(check({ Devices: [{ PathOnHost: '/dev/none' }] }), []);
    assert.deepEqual(check({ Privileged: true, Devices: [{ PathOnHost: '/dev/none' }] }), []);
  });
});

describe('a host that is able to do less', () => {
  const LESS: [HostConfig, Partial<HostFacts>, RegExp[]][] = [
    [{ Memory: 8 * MIB }, { cgroup: NO_CGROUPS }, [/memory limit capabilities/]],
    [{ PidsLimit: 5 }, { cgroup: NO_CGROUPS }, [/PIDs limit discarded/]],
    [{ CpusetCpus: '0' }, { cgroup: NO_CGROUPS }, [/Cpuset discarded/]],
    [{ BlkioWeight: 9 }, { cgroup: NO_CGROUPS }, [/Block I\/O weight .*Weight discarded/]],
    [{ BlkioWeight: 10 }, { cgroup: CGROUP_V1 }, []],
    [{ OomScoreAdj: -1 }, { sysResource: false }, [/OOM score adjustment can't be lowered below 0/]],
    [{ OomScoreAdj: -1 }, { sysResource: true }, []],
    [{ OomScoreAdj: 300 }, { sysResource: false, oomScoreAdj: 200 }, []],
    [{}, { sysResource: false, oomScoreAdj: 200 }, [/lowered below 200 without CAP_SYS_RESOURCE/]],
    [{ SecurityOpt: ['apparmor=x'] }, { apparmor: false }, [/AppArmor is not available/]],
    [{ SecurityOpt: ['apparmor=x'] }, { apparmor: true }, []],
    [{ SecurityOpt: ['label=disable'] }, { selinux: false }, [/SELinux is not available/]],
    [{ SecurityOpt: ['label=disable'] }, { selinux: true }, []],
    [
      { Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 1001 }] },
      { sysResource: false },
      [/^The ulimit nofile can't be raised above .* 1000 .* Limited to 1000\.$/],
    ],
    [{ Annotations: { 'krun.cpus': '9' } }, {}, [/The annotation krun\.cpus/]],
  ];
  for (const [asked, host, expected] of LESS) {
    it(`${JSON.stringify(asked)}: ${expected.join() || 'no warning'}`, () => {
      const warnings = check(asked, {}, host);
      assert.equal(warnings.length, expected.length, warnings.join('\n'));
      for (const [at, pattern] of expected.entries()) assert.match(warnings[at] ?? '', pattern);
    });
  }

  it('refuses a capability that it can not give', () => {
    assert.throws(() => check({ CapAdd: ['SYS_TIME'] }, {}, { capabilities: ['CAP_KILL'] }), {
      kind: 'invalid',
      message: /^invalid CapAdd: capability not supported by your kernel .*"CAP_SYS_TIME"$/,
    });
  });

  it('without a list of its processors takes every set that is well-formed', () => {
    const cgroup = { ...CGROUP_V1, cpusetCpus: '', cpusetMems: '' };
    assert.doesNotThrow(() => checkLimits({ CpusetCpus: '0-99', CpusetMems: '5' }, hostOf({ cgroup })));
    assert.throws(() => checkLimits({ CpusetCpus: '99-0' }, hostOf({ cgroup })), /invalid format: 99-0/);
  });
});
