import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism, release, totalmem } from 'node:os';
import { cgroupFacts } from './cgroup-facts.ts';
import { capabilityNames } from './spec/capabilities.ts';
import type { DeviceNode, HostFacts } from './spec-input.ts';

// Static ones first: the init runs on the container's files, where the host's libraries are not.
const INIT_CANDIDATES = ['tini-static', 'docker-init', 'catatonit', 'tini'].flatMap((name) => [
  `/usr/bin/${name}`,
  `/usr/libexec/docker/${name}`,
  `/usr/libexec/podman/${name}`,
]);

const ARCHITECTURES: Record<string, string> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };

/** Directories and names of /dev that belong to the host's sessions, not to a container. */
const SKIPPED_DIRECTORIES = new Set(['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev']);

const RLIMIT_TITLES: Record<string, string> = {
  'Max cpu time': 'CPU',
  'Max file size': 'FSIZE',
  'Max data size': 'DATA',
  'Max stack size': 'STACK',
  'Max core file size': 'CORE',
  'Max resident set': 'RSS',
  'Max processes': 'NPROC',
  'Max open files': 'NOFILE',
  'Max locked memory': 'MEMLOCK',
  'Max address space': 'AS',
  'Max file locks': 'LOCKS',
  'Max pending signals': 'SIGPENDING',
  'Max msgqueue size': 'MSGQUEUE',
  'Max nice priority': 'NICE',
  'Max realtime priority': 'RTPRIO',
  'Max realtime timeout': 'RTTIME',
};

/** Parses /proc/PID/limits into hard limits by name. */
export function parseHardLimits(text: string): Record<string, number> {
  const limits: Record<string, number> = {};
  for (const line of text.split('\n')) {
    const match = /^(Max [a-z ]+?) +(\d+|unlimited) +(\d+|unlimited)/.exec(line);
    const name = match && RLIMIT_TITLES[match[1] as string];
    if (!match || !name) continue;
    limits[`RLIMIT_${name}`] = match[3] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(match[3]);
  }
  return limits;
}

function deviceAt(path: string): DeviceNode | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return undefined;
  const type = stat.isCharacterDevice() ? 'c' : stat.isBlockDevice() ? 'b' : stat.isFIFO() ? 'p' : undefined;
  if (!type) return undefined;
  // gnu_dev_major(3): twelve bits low, twenty high, as Linux packs st_rdev.
  const dev = BigInt(stat.rdev);
  const major = Number(((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n));
  const minor = Number((dev & 0xffn) | ((dev >> 12n) & 0xffffff00n));
  return { path, type, major, minor, mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid };
}

function devicesBelow(path: string): DeviceNode[] {
  let entries: import('node:fs').Dirent[];
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const below = `${path}/${entry.name}`;
      if (entry.isDirectory()) return SKIPPED_DIRECTORIES.has(entry.name) ? [] : devicesBelow(below);
      if (below === '/dev/console' || !(entry.isCharacterDevice() || entry.isBlockDevice())) return [];
      return deviceAt(below) ?? [];
    });
}

function thermalCpus(): number[] {
  return readdirSync('/sys/devices/system/cpu')
    .map((name) => /^cpu(\d+)$/.exec(name)?.[1])
    .filter((cpu) => cpu !== undefined && existsSync(`/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`))
    .map(Number)
    .sort((a, b) => a - b);
}

/** Reads the host's abilities; call once at start, the answer does not change. */
export function hostFacts(): HostFacts {
  const status = readFileSync('/proc/self/status', 'utf8');
  const bits = (field: string) => new RegExp(`^${field}:\\s*([0-9a-f]+)`, 'm').exec(status)?.[1] ?? '0';
  const permitted = new Set(capabilityNames(bits('CapPrm')));
  const capabilities = capabilityNames(bits('CapBnd')).filter((name) => permitted.has(name));
  const [major = 0, minor = 0] = release().split('.').map(Number);
  return {
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    kernel: { major, minor },
    cpus: availableParallelism(),
    memory: totalmem(),
    capabilities,
    cgroup: cgroupFacts(),
    apparmor: existsSync('/sys/kernel/security/apparmor/profiles'),
    selinux: existsSync('/sys/fs/selinux/enforce'),
    seccomp: /^Seccomp:/m.test(status),
    hardLimits: parseHardLimits(readFileSync('/proc/self/limits', 'utf8')),
    sysResource: capabilities.includes('CAP_SYS_RESOURCE'),
    oomScoreAdj: Number(readFileSync('/proc/self/oom_score_adj', 'utf8')),
    thermalCpus: thermalCpus(),
    initBinary: INIT_CANDIDATES.find((path) => existsSync(path)),
    device: deviceAt,
    devicesBelow,
  };
}
