import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Resources } from '../../api/index.ts';
import { parseCpuSet } from './cpu-set.ts';
import { resourcesFromHostConfig } from './resources.ts';
import { hostOf, NO_CGROUPS } from './spec.cases.ts';

const on = (asked: Resources, cgroup = hostOf().cgroup) => resourcesFromHostConfig(asked, hostOf({ cgroup }));

describe('limits', () => {
  it('that are not asked for are not named', () => {
    assert.deepEqual(on({}), { resources: {}, warnings: [] });
    const zeroes = {
      Memory: 0,
      NanoCpus: 0,
      CpusetCpus: '',
      PidsLimit: 0,
      BlkioWeight: 0,
      MemorySwappiness: -1,
    };
    assert.deepEqual(on(zeroes), { resources: {}, warnings: [] });
  });

  it('swap is as much again as memory, more, or without end', () => {
    assert.deepEqual(on({ Memory: 100 }).resources.memory, { limit: 100, swap: 200 });
    assert.deepEqual(on({ Memory: 100, MemorySwap: 150 }).resources.memory, { limit: 100, swap: 150 });
    assert.deepEqual(on({ Memory: 100, MemorySwap: -1 }).resources.memory, { limit: 100, swap: -1 });
    const noSwap = on({ Memory: 100 }, { ...hostOf().cgroup, swapLimit: false });
    assert.deepEqual(noSwap.resources.memory, { limit: 100 });
    assert.match(noSwap.warnings[0] ?? '', /Memory limited without swap/);
  });

  it('processors become quota and period', () => {
    assert.deepEqual(on({ NanoCpus: 1_500_000_000 }).resources.cpu, { quota: 150_000, period: 100_000 });
    assert.deepEqual(on({ CpuQuota: 20_000, CpuPeriod: 50_000 }).resources.cpu, {
      quota: 20_000,
      period: 50_000,
    });
  });

  it('any negative number of processes means no limit', () => {
    assert.deepEqual(on({ PidsLimit: -7 }).resources.pids, { limit: -1 });
    assert.deepEqual(on({ PidsLimit: 3 }).resources.pids, { limit: 3 });
  });

  it('of block devices name the device by number', () => {
    const rates = [{ Path: '/dev/sda', Rate: 1024 }];
    const made = on({ BlkioDeviceReadBps: rates, BlkioDeviceWriteIOps: rates, BlkioWeight: 300 });
    const device = [{ major: 8, minor: 0, rate: 1024 }];
    assert.deepEqual(made.resources.blockIO, {
      weight: 300,
      throttleReadBpsDevice: device,
      throttleWriteIOPSDevice: device,
    });
    assert.throws(() => on({ BlkioDeviceReadBps: [{ Path: '/dev/none', Rate: 1 }] }), {
      message: 'stat /dev/none: no such file or directory',
    });
  });

  it('that this host can not keep are dropped, each with a warning', () => {
    const { resources, warnings } = on(
      {
        Memory: 100,
        MemoryReservation: 50,
        MemorySwappiness: 10,
        OomKillDisable: true,
        CpuShares: 2,
        CpuQuota: 5000,
        CpuPeriod: 5000,
        CpusetCpus: '0',
        PidsLimit: 9,
        BlkioWeight: 10,
        BlkioDeviceReadBps: [{ Path: '/dev/sda', Rate: 1 }],
      },
      NO_CGROUPS,
    );
    assert.deepEqual(resources, {});
    assert.equal(warnings.length, 11);
    assert.equal(new Set(warnings).size, 11);
    assert.throws(() => on({ NanoCpus: 1 }, NO_CGROUPS), /NanoCPUs can not be set/);
  });

  it('the killer may be called off, and a warning says what that means', () => {
    const { resources, warnings } = on({ OomKillDisable: true });
    assert.deepEqual(resources.memory, { disableOOMKiller: true });
    assert.match(warnings[0] ?? '', /running out of resources/);
    assert.deepEqual(on({ OomKillDisable: true, Memory: 9 }).warnings, []);
  });
});

it('sets of processors are parsed within bounds', () => {
  assert.deepEqual([...(parseCpuSet('0-2,7') ?? [])], [0, 1, 2, 7]);
  assert.deepEqual([...(parseCpuSet(' 3\n') ?? [])], [3]);
  for (const bad of ['', 'x', '1-', '-1', '3-1', '0-99999999', '1,,2', '8192', '0x1'])
    assert.equal(parseCpuSet(bad), undefined, bad);
});
