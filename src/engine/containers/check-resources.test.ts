import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Resources } from '../../api/index.ts';
import { checkResources, parseNumberList } from './check-resources.ts';
import type { HostAbilities } from './deps.ts';
import { ableHost } from './test-fixture.ts';

type Ability = keyof HostAbilities['cgroup'];

/** A host without one ability. */
function unable(ability: Ability): HostAbilities {
  const host = ableHost();
  Object.assign(host.cgroup, { [ability]: false });
  return host;
}

const lost = (what: string, verb: string) =>
  `Your kernel does not support ${what} or the cgroup is not mounted. ${verb}.`;

test('what the host can not keep is taken away and told, with the texts of the reference', () => {
  const throttle = [{ Path: '/dev/x', Rate: 5 }];
  const rows: [Ability, Resources, string, Resources][] = [
    [
      'memoryLimit',
      { Memory: 1e8 },
      lost('memory limit capabilities', 'Limitation discarded'),
      { Memory: 0, MemorySwap: -1 },
    ],
    [
      'swapLimit',
      { Memory: 1e8, MemorySwap: 2e8 },
      lost('swap limit capabilities', 'Memory limited without swap'),
      { Memory: 1e8, MemorySwap: -1 },
    ],
    [
      'memoryReservation',
      { MemoryReservation: 1e7 },
      lost('memory soft limit capabilities', 'Limitation discarded'),
      { MemoryReservation: 0 },
    ],
    [
      'memorySwappiness',
      { MemorySwappiness: 10 },
      lost('memory swappiness capabilities', 'Memory swappiness discarded'),
      {},
    ],
    [
      'oomKillDisable',
      { OomKillDisable: true },
      'Your kernel does not support OomKillDisable. OomKillDisable discarded.',
      {},
    ],
    [
      'kernelMemoryTcp',
      { KernelMemoryTCP: 1e6 },
      lost('kernel memory TCP limit capabilities', 'Limitation discarded'),
      { KernelMemoryTCP: 0 },
    ],
    ['cpuShares', { CpuShares: 5 }, lost('CPU shares', 'Shares discarded'), { CpuShares: 0 }],
    [
      'cpuCfs',
      { CpuPeriod: 50_000, CpuQuota: 20_000 },
      lost('CPU CFS scheduler', 'Period and quota discarded'),
      { CpuPeriod: 0, CpuQuota: 0 },
    ],
    [
      'cpuRealtime',
      { CpuRealtimePeriod: 50_000, CpuRealtimeRuntime: 20_000 },
      lost('CPU real-time scheduler', 'Period and runtime discarded'),
      { CpuRealtimePeriod: 0, CpuRealtimeRuntime: 0 },
    ],
    ['cpuset', { CpusetCpus: '99' }, lost('cpuset', 'Cpuset discarded'), { CpusetCpus: '', CpusetMems: '' }],
    ['blkioWeight', { BlkioWeight: 5 }, lost('Block I/O weight', 'Weight discarded'), { BlkioWeight: 0 }],
    [
      'blkioWeightDevice',
      { BlkioWeightDevice: [{ Path: '/dev/x', Weight: 5 }] },
      lost('Block I/O weight_device', 'Weight-device discarded'),
      { BlkioWeightDevice: [] },
    ],
    [
      'blkioThrottle',
      { BlkioDeviceReadBps: throttle },
      lost('BPS Block I/O read limit', 'BPS Block I/O read limit discarded'),
      { BlkioDeviceReadBps: [] },
    ],
    [
      'blkioThrottle',
      { BlkioDeviceWriteBps: throttle },
      lost('BPS Block I/O write limit', 'BPS Block I/O write limit discarded'),
      { BlkioDeviceWriteBps: [] },
    ],
    [
      'blkioThrottle',
      { BlkioDeviceReadIOps: throttle },
      lost('IOPS Block read limit', 'IOPS Block read limit discarded'),
      { BlkioDeviceReadIOps: [] },
    ],
    [
      'blkioThrottle',
      { BlkioDeviceWriteIOps: throttle },
      lost('IOPS Block write limit', 'IOPS Block write limit discarded'),
      { BlkioDeviceWriteIOps: [] },
    ],
    ['pidsLimit', { PidsLimit: 5 }, lost('PIDs limit capabilities', 'PIDs limit discarded'), {}],
  ];
  for (const [ability, asked, warning, kept] of rows) {
    const onAble = structuredClone(asked);
    if (ability !== 'blkioWeight' && ability !== 'cpuset' && ability !== 'oomKillDisable') {
      assert.deepEqual(checkResources(onAble, ableHost()), [], ability);
      assert.deepEqual(onAble, asked, 'an able host takes nothing away');
    }
    const limits = structuredClone(asked);
    assert.deepEqual(checkResources(limits, unable(ability)), [warning], ability);
    assert.deepEqual(limits, kept, ability);
  }
});

test('NanoCPUs without the scheduler are refused, not dropped', () => {
  assert.throws(() => checkResources({ NanoCpus: 1e9 }, unable('cpuCfs')), {
    kind: 'invalid',
    message:
      'NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted',
  });
});

test('bounds are taken in', () => {
  const taken: Resources[] = [
    { Memory: 6 * 1024 * 1024 },
    { MemoryReservation: 6 * 1024 * 1024 },
    { Memory: 1e7, MemorySwap: 1e7 },
    { Memory: 1e7, MemoryReservation: 1e7 },
    { MemorySwappiness: 0 },
    { MemorySwappiness: 100 },
    { NanoCpus: 2e9 },
    { CpuPeriod: 1_000 },
    { CpuPeriod: 1_000_000 },
    { CpuQuota: 1_000 },
    { CpuQuota: -1 },
    { CpuRealtimePeriod: 10, CpuRealtimeRuntime: 10 },
    { BlkioWeight: 10 },
    { BlkioWeight: 1_000 },
    { CpusetCpus: '0-1', CpusetMems: '0' },
  ];
  for (const limits of taken) {
    const before = structuredClone(limits);
    assert.deepEqual(checkResources(limits, ableHost()), [], JSON.stringify(limits));
    assert.deepEqual(limits, before);
  }
  for (const BlkioWeight of [9, 1_001]) {
    assert.throws(() => checkResources({ BlkioWeight }, ableHost()), {
      message: 'Range of blkio weight is from 10 to 1000',
    });
  }
  assert.throws(() => checkResources({ Memory: 6 * 1024 * 1024 - 1 }, ableHost()), /Minimum memory limit/);
});

test('a swappiness of -1 is as the host has it', () => {
  const limits: Resources = { MemorySwappiness: -1 };
  assert.deepEqual(checkResources(limits, unable('memorySwappiness')), []);
  assert.deepEqual(limits, {});
});

test('lists of numbers', () => {
  const numbers = (text: string) => {
    const found = parseNumberList(text);
    return found && [...found];
  };
  assert.deepEqual(numbers('0'), [0]);
  assert.deepEqual(numbers('0-2,5'), [0, 1, 2, 5]);
  assert.deepEqual(numbers(' 1 , 3 '), [1, 3]);
  assert.deepEqual(numbers('1,1-2'), [1, 2]);
  assert.equal(numbers('8192')?.length, 1);
  for (const bad of ['', ',', '1,', '-1', '1-', '2-1', 'x', '1-2-3', '8193', '0-99999', '999999', '1 2']) {
    assert.equal(numbers(bad), undefined, bad);
  }
});
