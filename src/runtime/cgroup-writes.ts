import type { OciResources } from './spec-types.ts';

/** One value for one file of a control group. */
export interface CgroupWrite {
  controller: string;
  file: string;
  value: string;
}

type Read = (controller: string, file: string) => string;

/**
 * The writes that change limits, in an order that the kernel takes; undefined when something is asked that is left to
 * the runtime (devices, weights and limits by device). `read` gives a file's content, empty when missing.
 */
export function plannedWrites(
  version: 1 | 2,
  resources: OciResources,
  read: Read,
): CgroupWrite[] | undefined {
  const { memory, cpu, pids, blockIO, devices } = resources;
  const { realtimeRuntime, realtimePeriod, ...plainCpu } = cpu ?? {};
  const { disableOOMKiller, swappiness, kernelTCP, ...plainMemory } = memory ?? {};
  const special = [realtimeRuntime, realtimePeriod, disableOOMKiller, swappiness, kernelTCP];
  if (devices?.length || blockIO || special.some((one) => one !== undefined)) return undefined;
  const writes =
    version === 1
      ? [...cpuV1(plainCpu), ...memoryV1(plainMemory, read)]
      : [...cpuV2(plainCpu, read), ...memoryV2(plainMemory)];
  const { cpus, mems } = plainCpu;
  if (cpus) writes.push({ controller: 'cpuset', file: 'cpuset.cpus', value: cpus });
  if (mems) writes.push({ controller: 'cpuset', file: 'cpuset.mems', value: mems });
  if (pids) {
    writes.push({ controller: 'pids', file: 'pids.max', value: pids.limit > 0 ? String(pids.limit) : 'max' });
  }
  return writes;
}

type Cpu = NonNullable<OciResources['cpu']>;
type Memory = NonNullable<OciResources['memory']>;

function cpuV1({ shares, quota, period }: Cpu): CgroupWrite[] {
  const files: [string, number | undefined][] = [
    ['cpu.shares', shares],
    ['cpu.cfs_period_us', period],
    ['cpu.cfs_quota_us', quota],
  ];
  return files.flatMap(([file, value]) => (value ? [{ controller: 'cpu', file, value: String(value) }] : []));
}

/** runtime-spec's conversion of shares (2–262144) to weight (1–10000). */
function cpuV2({ shares, quota, period }: Cpu, read: Read): CgroupWrite[] {
  const writes: CgroupWrite[] = [];
  if (shares) {
    const weight = 1 + Math.floor(((shares - 2) * 9999) / 262142);
    writes.push({ controller: 'cpu', file: 'cpu.weight', value: String(weight) });
  }
  if (!quota && !period) return writes;
  const [quotaNow = 'max', periodNow = '100000'] = read('cpu', 'cpu.max').trim().split(' ').filter(Boolean);
  const nextQuota = quota === undefined || quota === 0 ? quotaNow : quota < 0 ? 'max' : quota;
  writes.push({ controller: 'cpu', file: 'cpu.max', value: `${nextQuota} ${period || periodNow}` });
  return writes;
}

/** The limit of memory may never be above that of memory and swap: which goes first depends on the direction. */
function memoryV1({ limit, swap, reservation, kernel }: Memory, read: Read): CgroupWrite[] {
  const write = (file: string, value: number): CgroupWrite => ({
    controller: 'memory',
    file,
    value: String(value),
  });
  const writes: CgroupWrite[] = [];
  if (limit) writes.push(write('memory.limit_in_bytes', limit));
  if (swap && read('memory', 'memory.memsw.limit_in_bytes') !== '') {
    const now = Number(read('memory', 'memory.memsw.limit_in_bytes'));
    const swapWrite = write('memory.memsw.limit_in_bytes', swap);
    if (swap < 0 || swap > now) writes.unshift(swapWrite);
    else writes.push(swapWrite);
  }
  if (reservation) writes.push(write('memory.soft_limit_in_bytes', reservation));
  if (kernel) writes.push(write('memory.kmem.limit_in_bytes', kernel));
  return writes;
}

/** On v2 swap counts alone. */
function memoryV2({ limit, swap, reservation }: Memory): CgroupWrite[] {
  const writes: CgroupWrite[] = [];
  const value = (bytes: number) => (bytes < 0 ? 'max' : String(bytes));
  if (swap) {
    const alone = swap < 0 ? -1 : swap - Math.max(0, limit ?? 0);
    if (swap < 0 || limit)
      writes.push({ controller: 'memory', file: 'memory.swap.max', value: value(alone) });
  }
  if (limit) writes.push({ controller: 'memory', file: 'memory.max', value: value(limit) });
  if (reservation) writes.push({ controller: 'memory', file: 'memory.low', value: value(reservation) });
  return writes;
}
