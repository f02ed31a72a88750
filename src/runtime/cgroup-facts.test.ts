import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { detectCgroups } from '../sys/index.ts';
import { cgroupFacts } from './cgroup-facts.ts';
import type { CgroupFacts } from './spec-input.ts';

const MODULE = JSON.stringify(new URL('./cgroup-facts.ts', import.meta.url).href);
const ASK = `import { cgroupFacts } from ${MODULE}; console.log(JSON.stringify(cgroupFacts()));`;
const BARE =
  'for m in $(grep -E " - cgroup2? " /proc/self/mountinfo | cut -d" " -f5 | sort -r); do umount -l $m; done';

/** The facts of a process for which other cgroups are mounted than the host's: all in a mount namespace that ends with it. */
function factsWith(mounts: string): CgroupFacts {
  const script = [
    'set -e',
    'mount --make-rprivate /',
    BARE,
    'mount -t tmpfs none /mnt',
    'mkdir /mnt/a /mnt/b',
    mounts,
    'exec "$0" --input-type=module -e "$1"',
  ];
  const args = ['-m', '/bin/sh', '-c', script.join('\n'), process.execPath, ASK];
  return JSON.parse(execFileSync('unshare', args, { encoding: 'utf8' })) as CgroupFacts;
}
const flags = (facts: CgroupFacts) =>
  Object.entries(facts)
    .filter(([, value]) => value === true)
    .map(([name]) => name)
    .sort();

const host = detectCgroups();
/** A controller of the first version can be mounted again elsewhere only where it is there already. */
const first = (name: string) => host.version === 1 && existsSync(`/sys/fs/cgroup/${name}`);

describe('facts of cgroups', () => {
  it('of a host without any: nothing can be limited', () => {
    const facts = factsWith('');
    assert.equal(facts.version, 1);
    assert.deepEqual(flags(facts), []);
    assert.deepEqual([facts.cpusetCpus, facts.cpusetMems], ['', '']);
  });

  it('of one controller alone: what its files can do, and nothing else', (t) => {
    if (!first('pids') || !first('cpuset')) return t.skip('no controllers of the first version here');
    assert.deepEqual(flags(factsWith('mount -t cgroup -o pids none /mnt/a')), ['pidsLimit']);
    const facts = factsWith('mount -t cgroup -o cpuset none /mnt/a');
    assert.deepEqual(flags(facts), ['cpuset']);
    assert.match(facts.cpusetCpus, /^\d+(-\d+)?/);
    assert.match(facts.cpusetMems, /^\d+/);
  });

  it('of the second version alone: by controllers, never what it has no file for', (t) => {
    if (!existsSync('/proc/self/cgroup')) return t.skip('no cgroups in this kernel');
    const facts = factsWith('mount -t cgroup2 none /mnt/a');
    assert.equal(facts.version, 2);
    assert.equal(facts.devices, true);
    const never = ['memorySwappiness', 'oomKillDisable', 'kernelMemoryTcp', 'cpuRealtime'] as const;
    for (const name of never) assert.equal(facts[name], false, name);
    assert.equal(facts.swapLimit, facts.memoryLimit);
    assert.equal(facts.cpuset, facts.cpusetCpus !== '');
  });

  it('of both at once: the first version counts, with what the second one adds', (t) => {
    if (!first('pids')) return t.skip('no controllers of the first version here');
    const facts = factsWith('mount -t cgroup -o pids none /mnt/a; mount -t cgroup2 none /mnt/b');
    assert.equal(facts.version, 1);
    assert.equal(facts.pidsLimit, true);
    assert.equal(facts.memorySwappiness, false);
  });

  it('of this host agree with its files', (t) => {
    const facts = cgroupFacts();
    assert.equal(facts.version, host.version);
    if (facts.version === 2) return t.skip('a host of the second version only has no such files');
    const files: [keyof CgroupFacts, string, string][] = [
      ['memoryLimit', 'memory', 'memory.limit_in_bytes'],
      ['swapLimit', 'memory', 'memory.memsw.limit_in_bytes'],
      ['memoryReservation', 'memory', 'memory.soft_limit_in_bytes'],
      ['oomKillDisable', 'memory', 'memory.oom_control'],
      ['cpuShares', 'cpu', 'cpu.shares'],
      ['cpuCfs', 'cpu', 'cpu.cfs_quota_us'],
      ['cpuRealtime', 'cpu', 'cpu.rt_runtime_us'],
      ['blkioThrottle', 'blkio', 'blkio.throttle.read_bps_device'],
    ];
    for (const [fact, controller, file] of files)
      assert.equal(facts[fact], existsSync(`${host.controllers.get(controller) ?? '/nosuch'}/${file}`), fact);
    assert.equal(facts.pidsLimit, host.controllers.has('pids'));
  });
});
