import type { ContainerConfig, HostConfig } from '../../api/index.ts';
import { WharfError } from '../../base/index.ts';
import type { HostFacts } from '../spec-input.ts';
import { annotationsOf } from './annotations.ts';
import { capabilitiesOf } from './capabilities.ts';
import { parseCpuSet } from './cpu-set.ts';
import { devicesOf } from './devices.ts';
import { resourcesFromHostConfig } from './resources.ts';
import { rlimitsOf } from './rlimits.ts';
import { parseSecurityOptions } from './security-options.ts';
import { sysctlsOf } from './sysctls.ts';

const MEMORY_MINIMUM = 6 * 1024 * 1024;

function refuse(when: boolean, message: string): void {
  if (when) throw new WharfError('invalid', message);
}

/** Limits that contradict each other or have no meaning; the texts are Docker's. */
export function checkLimits(asked: HostConfig, host: HostFacts): void {
  const { Memory = 0, MemorySwap = 0, MemoryReservation = 0, MemorySwappiness } = asked;
  refuse(Memory !== 0 && Memory < MEMORY_MINIMUM, 'Minimum memory limit allowed is 6MB');
  refuse(
    Memory > 0 && MemorySwap > 0 && MemorySwap < Memory,
    'Minimum memoryswap limit should be larger than memory limit, see usage',
  );
  refuse(
    Memory === 0 && MemorySwap > 0,
    'You should always set the Memory limit when using Memoryswap limit, see usage',
  );
  refuse(
    MemoryReservation > 0 && MemoryReservation < MEMORY_MINIMUM,
    'Minimum memory reservation allowed is 6MB',
  );
  refuse(
    Memory > 0 && MemoryReservation > 0 && Memory < MemoryReservation,
    'Minimum memory limit can not be less than memory reservation limit, see usage',
  );
  const swappiness = MemorySwappiness ?? -1;
  refuse(
    swappiness < -1 || swappiness > 100,
    `Invalid value: ${swappiness}, valid memory swappiness range is 0-100`,
  );
  checkCpu(asked, host);
  const { BlkioWeight = 0, OomScoreAdj = 0 } = asked;
  refuse(
    host.cgroup.blkioWeight && BlkioWeight > 0 && (BlkioWeight < 10 || BlkioWeight > 1000),
    'Range of blkio weight is from 10 to 1000',
  );
  refuse(
    OomScoreAdj < -1000 || OomScoreAdj > 1000,
    `Invalid value ${OomScoreAdj}, range for oom score adj is [-1000, 1000]`,
  );
}

function checkCpu(asked: HostConfig, host: HostFacts): void {
  const { NanoCpus = 0, CpuPeriod = 0, CpuQuota = 0 } = asked;
  refuse(NanoCpus > 0 && CpuPeriod > 0, 'Conflicting options: Nano CPUs and CPU Period cannot both be set');
  refuse(NanoCpus > 0 && CpuQuota > 0, 'Conflicting options: Nano CPUs and CPU Quota cannot both be set');
  refuse(
    NanoCpus < 0 || NanoCpus > host.cpus * 1e9,
    `range of CPUs is from 0.01 to ${host.cpus}.00, as there are only ${host.cpus} CPUs available`,
  );
  refuse(
    CpuPeriod !== 0 && (CpuPeriod < 1000 || CpuPeriod > 1_000_000),
    'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)',
  );
  refuse(CpuQuota > 0 && CpuQuota < 1000, 'CPU cfs quota can not be less than 1ms (i.e. 1000)');
  refuse(
    (asked.CpuShares ?? 0) < 0,
    `invalid CPU shares (${asked.CpuShares}): value must be a positive integer`,
  );
  checkSet(asked.CpusetCpus, 'cpus', 'CPUs', host.cgroup.cpusetCpus);
  checkSet(asked.CpusetMems, 'mems', 'memory nodes', host.cgroup.cpusetMems);
}

function checkSet(asked: string | undefined, field: string, what: string, available: string): void {
  if (!asked) return;
  const wanted = parseCpuSet(asked);
  if (!wanted)
    throw new WharfError('invalid', `Invalid value ${asked} for cpuset ${field}: invalid format: ${asked}`);
  const present = parseCpuSet(available);
  if (!available || !present) return;
  for (const each of wanted)
    refuse(
      !present.has(each),
      `Requested ${what} are not available - requested ${asked}, available: ${available}`,
    );
}

function checkModes(config: ContainerConfig, hostConfig: HostConfig): void {
  const { IpcMode = '', PidMode = '', UTSMode = '', UsernsMode = '', CgroupnsMode = '' } = hostConfig;
  refuse(!/^(|none|private|shareable|host|container:.+)$/.test(IpcMode), `invalid IPC mode: ${IpcMode}`);
  refuse(!/^(|private|host|container:.+)$/.test(PidMode), `invalid PID mode: ${PidMode}`);
  refuse(!/^(|host)$/.test(UTSMode), `invalid UTS mode: ${UTSMode}`);
  refuse(!/^(|host)$/.test(UsernsMode), `invalid userns mode: ${UsernsMode}`);
  refuse(!/^(|private|host)$/.test(CgroupnsMode), `invalid cgroup namespace mode: ${CgroupnsMode}`);
  refuse(UTSMode === 'host' && Boolean(config.Hostname), 'conflicting options: hostname and the UTS mode');
  const isolation = hostConfig.Isolation ?? '';
  refuse(
    isolation !== '' && isolation.toLowerCase() !== 'default',
    `invalid isolation (${isolation}): linux only supports 'default'`,
  );
  refuse((hostConfig.ShmSize ?? 0) < 0, 'SHM size can not be less than 0');
  const dir = config.WorkingDir;
  refuse(
    Boolean(dir) && !dir?.startsWith('/'),
    `the working directory '${dir}' is invalid, it needs to be an absolute path`,
  );
}

/** Checks a request at create, as Docker does. Returns warnings for the client; throws `invalid` with Docker's text for what is refused. */
export function checkHostConfig(config: ContainerConfig, hostConfig: HostConfig, host: HostFacts): string[] {
  checkModes(config, hostConfig);
  checkLimits(hostConfig, host);
  const request = hostConfig.DeviceRequests ?? [];
  if (request.length > 0) {
    const groups = (request[0]?.Capabilities ?? []).map((group) => `[${group.join(' ')}]`).join(' ');
    throw new WharfError(
      'invalid',
      `could not select device driver "${request[0]?.Driver ?? ''}" with capabilities: [${groups}]`,
    );
  }
  capabilitiesOf(hostConfig, host.capabilities);
  sysctlsOf(config, hostConfig);
  devicesOf({ ...hostConfig, Privileged: false, Devices: [] }, host);
  const warnings = [
    ...resourcesFromHostConfig(hostConfig, host).warnings,
    ...rlimitsOf(hostConfig.Ulimits ?? [], [], host).warnings,
    ...parseSecurityOptions(hostConfig.SecurityOpt ?? [], host).warnings,
    ...annotationsOf(hostConfig.Annotations).warnings,
  ];
  const adjust = hostConfig.OomScoreAdj ?? 0;
  if (adjust < host.oomScoreAdj && !host.sysResource)
    warnings.push(
      `The OOM score adjustment can't be lowered below ${host.oomScoreAdj} without CAP_SYS_RESOURCE. OomScoreAdj discarded.`,
    );
  return warnings;
}
