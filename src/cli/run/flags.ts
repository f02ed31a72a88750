import { type FlagSpec, flag } from '../flags.ts';
import { labelFlag, linkFlag } from '../shared-flags.ts';
import { checkMount } from './mounts.ts';
import { checkNetwork } from './networks.ts';

function oneOf(values: readonly string[], message: string) {
  return (value: string): string => {
    if (!values.includes(value.toLowerCase())) throw new Error(message);
    return value.toLowerCase();
  };
}

function checkUlimit(value: string): string {
  const match = /^([^=]+)=(.+)$/.exec(value);
  if (!match) throw new Error(`invalid ulimit argument: ${value}`);
  const known = [
    'core',
    'cpu',
    'data',
    'fsize',
    'locks',
    'memlock',
    'msgqueue',
    'nice',
    'nofile',
    'nproc',
    'rss',
    'rtprio',
    'rttime',
    'sigpending',
    'stack',
  ];
  if (!known.includes(match[1] ?? '')) throw new Error(`invalid ulimit type: ${match[1]}`);
  const parts = (match[2] ?? '').split(':');
  if (parts.length > 2)
    throw new Error(`too many limit value arguments - ${match[2]}, can only have up to two, \`soft[:hard]\``);
  for (const part of parts)
    if (!/^-?\d+$/.test(part))
      throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(part)}: invalid syntax`);
  const [soft, hard] = parts.map(Number);
  if (hard !== undefined && hard !== -1 && (soft === -1 || (soft ?? 0) > hard))
    throw new Error(
      `ulimit soft limit must be less than or equal to hard limit: ${soft === -1 ? 'soft: -1 (unlimited)' : soft} > ${hard}`,
    );
  return value;
}

function checkEnv(value: string): string {
  if (value === '' || value.startsWith('=')) throw new Error(`invalid environment variable: ${value}`);
  return value;
}

function checkHost(value: string): string {
  const at = value.search(/[=:]/);
  if (at <= 0) throw new Error(`bad format for add-host: ${JSON.stringify(value)}`);
  const address = value.slice(at + 1).replace(/^\[(.*)\]$/, '$1');
  if (address !== 'host-gateway' && !/^[0-9a-fA-F.:%]+$/.test(address))
    throw new Error(`invalid IP address in add-host: ${JSON.stringify(address)}`);
  return `${value.slice(0, at)}:${address}`;
}

function checkThrottle(value: string): string {
  const at = value.lastIndexOf(':');
  if (at < 0) throw new Error(`bad format: ${value}`);
  if (!value.startsWith('/dev/')) throw new Error(`bad format for device path: ${value}`);
  return value;
}

function checkDns(value: string): string {
  if (!/^[0-9a-fA-F.:%]+$/.test(value.trim()))
    throw new Error(`IP address is not correctly formatted: ${value.trim()}`);
  return value.trim();
}

const device = { shown: '[]', check: checkThrottle };
const resources = (): FlagSpec[] => [
  flag('blkio-weight', 'uint16', 'Block IO (relative weight), between 10 and 1000, or 0 to disable', {
    shown: '0',
  }),
  flag('cpu-period', 'int', 'Limit CPU CFS (Completely Fair Scheduler) period'),
  flag('cpu-quota', 'int', 'Limit CPU CFS (Completely Fair Scheduler) quota'),
  flag('cpu-rt-period', 'int', 'Limit CPU real-time period in microseconds'),
  flag('cpu-rt-runtime', 'int', 'Limit CPU real-time runtime in microseconds'),
  flag('c,cpu-shares', 'int', 'CPU shares (relative weight)'),
  flag('cpus', 'decimal', 'Number of CPUs'),
  flag('cpuset-cpus', 'string', 'CPUs in which to allow execution (0-3, 0,1)'),
  flag('cpuset-mems', 'string', 'MEMs in which to allow execution (0-3, 0,1)'),
  flag('m,memory', 'bytes', 'Memory limit'),
  flag('memory-reservation', 'bytes', 'Memory soft limit'),
  flag('memory-swap', 'bytes', "Swap limit equal to memory plus swap: '-1' to enable unlimited swap"),
  flag('pids-limit', 'int', 'Tune container pids limit (set -1 for unlimited)'),
];

/** The flags of `update`. */
export const UPDATE_FLAGS: readonly FlagSpec[] = [
  ...resources(),
  flag('restart', 'string', 'Restart policy to apply when a container exits'),
];

/** The flags that `run` and `create` share. */
export const CONTAINER_FLAGS: readonly FlagSpec[] = [
  ...resources(),
  flag('add-host', 'list', 'Add a custom host-to-IP mapping (host:ip)', { check: checkHost }),
  flag('annotation', 'map', 'Add an annotation to the container (passed through to the OCI runtime)'),
  flag('a,attach', 'list', 'Attach to STDIN, STDOUT or STDERR', {
    check: oneOf(['stdin', 'stdout', 'stderr'], 'valid streams are STDIN, STDOUT and STDERR'),
  }),
  flag('blkio-weight-device', 'list', 'Block IO weight (relative device weight)', device),
  flag('cap-add', 'list', 'Add Linux capabilities'),
  flag('cap-drop', 'list', 'Drop Linux capabilities'),
  flag('cgroup-parent', 'string', 'Optional parent cgroup for the container'),
  flag('cgroupns', 'string', 'Cgroup namespace to use (host|private)'),
  flag('cidfile', 'string', 'Write the container ID to the file'),
  flag('cpu-count', 'int', 'CPU count (Windows only)'),
  flag('cpu-percent', 'int', 'CPU percent (Windows only)'),
  flag('device', 'list', 'Add a host device to the container'),
  flag('device-cgroup-rule', 'list', 'Add a rule to the cgroup allowed devices list', {
    check: checkCgroupRule,
  }),
  flag('device-read-bps', 'list', 'Limit read rate (bytes per second) from a device', device),
  flag('device-read-iops', 'list', 'Limit read rate (IO per second) from a device', device),
  flag('device-write-bps', 'list', 'Limit write rate (bytes per second) to a device', device),
  flag('device-write-iops', 'list', 'Limit write rate (IO per second) to a device', device),
  flag('disable-content-trust', 'bool', 'Skip image verification', { default: true }),
  flag('dns', 'list', 'Set custom DNS servers', { check: checkDns }),
  flag('dns-opt', 'list', 'The old name of --dns-option', { oldNameOf: 'dns-option' }),
  flag('dns-option', 'list', 'Set DNS options'),
  flag('dns-search', 'list', 'Set custom DNS search domains'),
  flag('domainname', 'string', 'Container NIS domain name'),
  flag('entrypoint', 'string', 'Overwrite the default ENTRYPOINT of the image'),
  flag('e,env', 'list', 'Set environment variables', { check: checkEnv }),
  flag('env-file', 'list', 'Read in a file of environment variables'),
  flag('expose', 'list', 'Expose a port or a range of ports'),
  flag('gpus', 'list', "GPU devices to add to the container ('all' to pass all GPUs)", {
    typeName: 'gpu-request',
  }),
  flag('group-add', 'list', 'Add additional groups to join'),
  flag('health-cmd', 'string', 'Command to run to check health'),
  flag('health-interval', 'duration', 'Time between running the check (ms|s|m|h)'),
  flag('health-retries', 'int', 'Consecutive failures needed to report unhealthy'),
  flag(
    'health-start-interval',
    'duration',
    'Time between running the check during the start period (ms|s|m|h)',
  ),
  flag(
    'health-start-period',
    'duration',
    'Start period for the container to initialize before starting health-retries countdown (ms|s|m|h)',
  ),
  flag('health-timeout', 'duration', 'Maximum time to allow one check to run (ms|s|m|h)'),
  flag('help', 'bool', 'Print usage'),
  flag('h,hostname', 'string', 'Container host name'),
  flag('init', 'bool', 'Run an init inside the container that forwards signals and reaps processes'),
  flag('i,interactive', 'bool', 'Keep STDIN open even if not attached'),
  flag('io-maxbandwidth', 'bytes', 'Maximum IO bandwidth limit for the system drive (Windows only)'),
  flag('io-maxiops', 'uint', 'Maximum IOps limit for the system drive (Windows only)'),
  flag('ip', 'string', 'IPv4 address (e.g., 172.30.100.104)'),
  flag('ip6', 'string', 'IPv6 address (e.g., 2001:db8::33)'),
  flag('ipc', 'string', 'IPC mode to use'),
  flag('isolation', 'string', 'Container isolation technology'),
  flag('kernel-memory', 'bytes', 'Kernel memory limit'),
  labelFlag('Set meta data on a container', 'l,label'),
  flag('label-file', 'list', 'Read in a line delimited file of labels'),
  linkFlag,
  flag('link-local-ip', 'list', 'Container IPv4/IPv6 link-local addresses'),
  flag('log-driver', 'string', 'Logging driver for the container'),
  flag('log-opt', 'list', 'Log driver options'),
  flag('mac-address', 'string', 'Container MAC address (e.g., 92:d0:c6:0a:29:33)'),
  flag('memory-swappiness', 'int', 'Tune container memory swappiness (0 to 100)', { default: -1 }),
  flag('mount', 'list', 'Attach a filesystem mount to the container', {
    typeName: 'mount',
    check: checkMount,
  }),
  flag('name', 'string', 'Assign a name to the container'),
  flag('net', 'list', 'The old name of --network', { oldNameOf: 'network', check: checkNetwork }),
  flag('net-alias', 'list', 'The old name of --network-alias', { oldNameOf: 'network-alias' }),
  flag('network', 'list', 'Connect a container to a network', { typeName: 'network', check: checkNetwork }),
  flag('network-alias', 'list', 'Add network-scoped alias for the container'),
  flag('no-healthcheck', 'bool', 'Disable any container-specified HEALTHCHECK'),
  flag('oom-kill-disable', 'bool', 'Disable OOM Killer'),
  flag('oom-score-adj', 'int', "Tune host's OOM preferences (-1000 to 1000)"),
  flag('pid', 'string', 'PID namespace to use'),
  flag('platform', 'string', 'Set platform if server is multi-platform capable'),
  flag('privileged', 'bool', 'Give extended privileges to this container'),
  flag('p,publish', 'list', "Publish a container's port(s) to the host"),
  flag('P,publish-all', 'bool', 'Publish all exposed ports to random ports'),
  flag('pull', 'string', 'Pull image before running ("always", "missing", "never")', { default: 'missing' }),
  flag('q,quiet', 'bool', 'Suppress the pull output'),
  flag('read-only', 'bool', "Mount the container's root filesystem as read only"),
  flag('restart', 'string', 'Restart policy to apply when a container exits', { default: 'no' }),
  flag('rm', 'bool', 'Automatically remove the container and its associated anonymous volumes when it exits'),
  flag('runtime', 'string', 'Runtime to use for this container'),
  flag('security-opt', 'list', 'Security Options'),
  flag('shm-size', 'bytes', 'Size of /dev/shm'),
  flag('stop-signal', 'string', 'Signal to stop the container'),
  { ...flag('stop-timeout', 'int', 'Timeout (in seconds) to stop a container'), shown: undefined },
  flag('storage-opt', 'list', 'Storage driver options for the container'),
  flag('sysctl', 'map', 'Sysctl options'),
  flag('tmpfs', 'list', 'Mount a tmpfs directory'),
  flag('t,tty', 'bool', 'Allocate a pseudo-TTY'),
  flag('ulimit', 'list', 'Ulimit options', { shown: '[]', typeName: 'ulimit', check: checkUlimit }),
  flag('u,user', 'string', 'Username or UID (format: <name|uid>[:<group|gid>])'),
  flag('userns', 'string', 'User namespace to use'),
  flag('uts', 'string', 'UTS namespace to use'),
  flag('v,volume', 'list', 'Bind mount a volume'),
  flag('volume-driver', 'string', 'Optional volume driver for the container'),
  flag('volumes-from', 'list', 'Mount volumes from the specified container(s)'),
  flag('w,workdir', 'string', 'Working directory inside the container'),
];

function checkCgroupRule(value: string): string {
  if (!/^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$/.test(value))
    throw new Error(`invalid device cgroup format '${value}'`);
  return value;
}
