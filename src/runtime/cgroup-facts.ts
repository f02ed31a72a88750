import { existsSync, readFileSync } from 'node:fs';
import { detectCgroups } from '../sys/index.ts';
import type { CgroupFacts } from './spec-input.ts';

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

/** cgroup v2: what the root's controllers give (kernel `cgroup-v2.rst`). */
function unified(controllers: ReadonlyMap<string, string>): CgroupFacts {
  const has = (name: string) => controllers.has(name);
  const root = controllers.get('cpuset') ?? '';
  return {
    version: 2,
    memoryLimit: has('memory'),
    swapLimit: has('memory'),
    memoryReservation: has('memory'),
    memorySwappiness: false,
    oomKillDisable: false,
    kernelMemoryTcp: false,
    cpuShares: has('cpu'),
    cpuCfs: has('cpu'),
    cpuRealtime: false,
    cpuset: has('cpuset'),
    cpusetCpus: text(`${root}/cpuset.cpus.effective`),
    cpusetMems: text(`${root}/cpuset.mems.effective`),
    blkioWeight: has('io'),
    blkioWeightDevice: has('io'),
    blkioThrottle: has('io'),
    pidsLimit: has('pids'),
    devices: true,
  };
}

/** What the host's cgroups can limit, from the files of the root groups. */
export function cgroupFacts(): CgroupFacts {
  const { version, controllers } = detectCgroups();
  if (version === 2) return unified(controllers);
  const file = (controller: string, name: string) => {
    const mount = controllers.get(controller);
    return mount !== undefined && existsSync(`${mount}/${name}`);
  };
  const cpuset = controllers.get('cpuset') ?? '';
  return {
    version: 1,
    memoryLimit: file('memory', 'memory.limit_in_bytes'),
    swapLimit: file('memory', 'memory.memsw.limit_in_bytes'),
    memoryReservation: file('memory', 'memory.soft_limit_in_bytes'),
    memorySwappiness: file('memory', 'memory.swappiness'),
    oomKillDisable: file('memory', 'memory.oom_control'),
    kernelMemoryTcp: file('memory', 'memory.kmem.tcp.limit_in_bytes'),
    cpuShares: file('cpu', 'cpu.shares'),
    cpuCfs: file('cpu', 'cpu.cfs_quota_us'),
    cpuRealtime: file('cpu', 'cpu.rt_runtime_us'),
    cpuset: cpuset !== '',
    cpusetCpus: text(`${cpuset}/cpuset.cpus`),
    cpusetMems: text(`${cpuset}/cpuset.mems`),
    blkioWeight: file('blkio', 'blkio.weight') || file('blkio', 'blkio.bfq.weight'),
    blkioWeightDevice: file('blkio', 'blkio.weight_device') || file('blkio', 'blkio.bfq.weight_device'),
    blkioThrottle: file('blkio', 'blkio.throttle.read_bps_device'),
    pidsLimit: controllers.has('pids'),
    devices: controllers.has('devices'),
  };
}
