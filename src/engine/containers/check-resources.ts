import type { Resources } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import type { HostAbilities } from './deps.ts';

const MIN_MEMORY = 6 * 1024 * 1024;
/** As many CPUs or memory nodes as the reference reads. */
const MAX_NUMBER = 8192;

function refuse(message: string): never {
  throw new WharfError('invalid', message);
}

/**
 * Checks limits of a create or update request and takes those away that this host can't keep (in place). Returns the
 * warnings. Texts are Docker's. Errors: `invalid`.
 */
export function checkResources(limits: Resources, host: HostAbilities, updating = false): string[] {
  const warnings: string[] = [];
  checkMemory(limits, host, updating, warnings);
  checkCpu(limits, host, warnings);
  checkCpuset(limits, host, warnings);
  checkBlockIo(limits, host, warnings);
  if (limits.PidsLimit && !host.cgroup.pidsLimit) {
    warnings.push(
      'Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.',
    );
    delete limits.PidsLimit;
  }
  if (limits.IOMaximumBandwidth)
    refuse('invalid option: QoS maximum bandwidth configuration is not supported on linux');
  if (limits.IOMaximumIOps)
    refuse('invalid option: QoS maximum IOPs configuration is not supported on linux');
  return warnings;
}

function checkMemory(limits: Resources, host: HostAbilities, updating: boolean, warnings: string[]): void {
  const { Memory: memory = 0, MemorySwap: swap = 0, MemoryReservation: reservation = 0 } = limits;
  if (memory !== 0 && memory < MIN_MEMORY) refuse('Minimum memory limit allowed is 6MB');
  if (memory > 0 && !host.cgroup.memoryLimit) {
    warnings.push(
      'Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.',
    );
    limits.Memory = 0;
    limits.MemorySwap = -1;
  } else if (memory > 0 && swap !== -1 && !host.cgroup.swapLimit) {
    warnings.push(
      'Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.',
    );
    limits.MemorySwap = -1;
  } else if (memory > 0 && swap > 0 && swap < memory) {
    refuse('Minimum memoryswap limit should be larger than memory limit, see usage');
  }
  if (memory === 0 && swap > 0 && !updating) {
    refuse('You should always set the Memory limit when using Memoryswap limit, see usage');
  }
  checkSwappiness(limits, host, warnings);
  if (reservation > 0 && reservation < MIN_MEMORY) refuse('Minimum memory reservation allowed is 6MB');
  if (reservation > 0 && !host.cgroup.memoryReservation) {
    warnings.push(
      'Your kernel does not support memory soft limit capabilities or the cgroup is not mounted. Limitation discarded.',
    );
    limits.MemoryReservation = 0;
  } else if (memory > 0 && reservation > memory) {
    refuse('Minimum memory limit can not be less than memory reservation limit, see usage');
  }
  checkOom(limits, host, warnings);
}

function checkSwappiness(limits: Resources, host: HostAbilities, warnings: string[]): void {
  const swappiness = limits.MemorySwappiness;
  if (swappiness === undefined) return;
  // -1 says "as the host does".
  if (swappiness === -1) {
    delete limits.MemorySwappiness;
    return;
  }
  if (swappiness < 0 || swappiness > 100) {
    refuse(`Invalid value: ${swappiness}, valid memory swappiness range is 0-100`);
  }
  if (host.cgroup.memorySwappiness) return;
  warnings.push(
    'Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.',
  );
  delete limits.MemorySwappiness;
}

function checkOom(limits: Resources, host: HostAbilities, warnings: string[]): void {
  if (limits.OomKillDisable && !host.cgroup.oomKillDisable) {
    warnings.push('Your kernel does not support OomKillDisable. OomKillDisable discarded.');
    delete limits.OomKillDisable;
  }
  if (limits.OomKillDisable && !limits.Memory) {
    warnings.push(
      'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
    );
  }
  if (limits.KernelMemoryTCP && !host.cgroup.kernelMemoryTcp) {
    warnings.push(
      'Your kernel does not support kernel memory TCP limit capabilities or the cgroup is not mounted. Limitation discarded.',
    );
    limits.KernelMemoryTCP = 0;
  }
}

function checkCpu(limits: Resources, host: HostAbilities, warnings: string[]): void {
  const { NanoCpus: nano = 0, CpuPeriod: period = 0, CpuQuota: quota = 0, CpuShares: shares = 0 } = limits;
  if (nano !== 0 && period !== 0) refuse('Conflicting options: Nano CPUs and CPU Period cannot both be set');
  if (nano !== 0 && quota !== 0) refuse('Conflicting options: Nano CPUs and CPU Quota cannot both be set');
  if (nano !== 0 && !host.cgroup.cpuCfs) {
    refuse(
      'NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted',
    );
  }
  if (nano < 0 || nano > host.cpus * 1e9) {
    refuse(`range of CPUs is from 0.01 to ${host.cpus}.00, as there are only ${host.cpus} CPUs available`);
  }
  if (shares < 0) refuse(`invalid CPU shares (${shares}): value must be a positive integer`);
  if (shares > 0 && !host.cgroup.cpuShares) {
    warnings.push('Your kernel does not support CPU shares or the cgroup is not mounted. Shares discarded.');
    limits.CpuShares = 0;
  }
  if ((period !== 0 || quota > 0) && !host.cgroup.cpuCfs) {
    warnings.push(
      'Your kernel does not support CPU CFS scheduler or the cgroup is not mounted. Period and quota discarded.',
    );
    limits.CpuPeriod = 0;
    limits.CpuQuota = 0;
  } else {
    if (period !== 0 && (period < 1000 || period > 1_000_000)) {
      refuse('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
    }
    if (quota > 0 && quota < 1000) refuse('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  }
  checkOtherCpu(limits, host, warnings);
}

function checkOtherCpu(limits: Resources, host: HostAbilities, warnings: string[]): void {
  const { CpuRealtimePeriod: period = 0, CpuRealtimeRuntime: runtime = 0 } = limits;
  if ((period !== 0 || runtime !== 0) && !host.cgroup.cpuRealtime) {
    warnings.push(
      'Your kernel does not support CPU real-time scheduler or the cgroup is not mounted. Period and runtime discarded.',
    );
    limits.CpuRealtimePeriod = 0;
    limits.CpuRealtimeRuntime = 0;
  }
  if (period !== 0 && runtime > period)
    refuse('cpu real-time runtime cannot be higher than cpu real-time period');
  if (limits.CpuPercent) {
    warnings.push('linux does not support CPU percent. Percent discarded.');
    limits.CpuPercent = 0;
  }
  if (limits.CpuCount) {
    warnings.push('linux does not support CPU count. Count discarded.');
    limits.CpuCount = 0;
  }
}

function checkCpuset(limits: Resources, host: HostAbilities, warnings: string[]): void {
  if ((limits.CpusetCpus || limits.CpusetMems) && !host.cgroup.cpuset) {
    warnings.push('Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.');
    limits.CpusetCpus = '';
    limits.CpusetMems = '';
    return;
  }
  const sets = [
    { asked: limits.CpusetCpus, available: host.cgroup.cpusetCpus, field: 'cpuset cpus', noun: 'CPUs' },
    {
      asked: limits.CpusetMems,
      available: host.cgroup.cpusetMems,
      field: 'cpuset mems',
      noun: 'memory nodes',
    },
  ];
  for (const { asked, available, field, noun } of sets) {
    if (!asked) continue;
    const numbers = parseNumberList(asked);
    if (!numbers) refuse(`Invalid value ${asked} for ${field}: ${numberListFault(asked)}`);
    const there = parseNumberList(available) ?? new Set<number>();
    if (![...numbers].every((number) => there.has(number))) {
      refuse(`Requested ${noun} are not available - requested ${asked}, available: ${available}`);
    }
  }
}

function numberListFault(text: string): string {
  const tooLarge = (text.match(/\d+/g) ?? []).some((number) => Number(number) > MAX_NUMBER);
  return tooLarge ? `value of out range, maximum is ${MAX_NUMBER}` : `invalid format: ${text}`;
}

/** `0-2,5` as numbers; undefined when malformed or larger than any host. */
export function parseNumberList(text: string): Set<number> | undefined {
  const numbers = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim());
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (!match || last < first || last > MAX_NUMBER) return undefined;
    for (let number = first; number <= last; number += 1) numbers.add(number);
  }
  return numbers;
}

function checkBlockIo(limits: Resources, host: HostAbilities, warnings: string[]): void {
  const weight = limits.BlkioWeight ?? 0;
  if (weight > 0 && !host.cgroup.blkioWeight) {
    warnings.push(
      'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.',
    );
    limits.BlkioWeight = 0;
  } else if (weight !== 0 && (weight < 10 || weight > 1000)) {
    refuse('Range of blkio weight is from 10 to 1000');
  }
  if (limits.BlkioWeightDevice?.length && !host.cgroup.blkioWeightDevice) {
    warnings.push(
      'Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.',
    );
    limits.BlkioWeightDevice = [];
  }
  const throttles = [
    ['BlkioDeviceReadBps', 'BPS Block I/O read limit'],
    ['BlkioDeviceWriteBps', 'BPS Block I/O write limit'],
    ['BlkioDeviceReadIOps', 'IOPS Block read limit'],
    ['BlkioDeviceWriteIOps', 'IOPS Block write limit'],
  ] as const;
  for (const [field, words] of throttles) {
    if (!limits[field]?.length || host.cgroup.blkioThrottle) continue;
    warnings.push(`Your kernel does not support ${words} or the cgroup is not mounted. ${words} discarded.`);
    limits[field] = [];
  }
}
