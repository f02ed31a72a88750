/** How an option's value is written on the command line and in `daemon.json`. */
export type OptionKind = 'string' | 'boolean' | 'integer' | 'list' | 'map';

/** One option of the daemon. The name is dockerd's wherever dockerd has it. */
export interface OptionSpec {
  /** Flag name without the dashes; for lists the singular, as dockerd has it. */
  flag: string;
  /** Key in `daemon.json`; undefined for what can be said only on the command line. */
  key: string | undefined;
  short?: string;
  kind: OptionKind;
  /** What `--help` shows as the value's type, and the default in parentheses. */
  placeholder?: string;
  defaultText?: string;
  help: string;
}

/** Every option, in the order of `--help`. All of them work: what the daemon can't do is not listed. */
export const OPTIONS: readonly OptionSpec[] = [
  {
    flag: 'add-runtime',
    key: undefined,
    kind: 'map',
    placeholder: 'name=path',
    help: 'Register an additional OCI compatible runtime',
  },
  {
    flag: 'bip',
    key: 'bip',
    kind: 'string',
    help: 'Address and prefix of the default bridge (CIDR), e.g. 172.18.0.1/16',
  },
  {
    flag: 'bridge',
    key: 'bridge',
    short: 'b',
    kind: 'string',
    defaultText: 'wharf0',
    help: 'Name of the default bridge',
  },
  {
    flag: 'cgroup-parent',
    key: 'cgroup-parent',
    kind: 'string',
    defaultText: '/wharf',
    help: 'Parent cgroup of all containers',
  },
  {
    flag: 'config-file',
    key: undefined,
    kind: 'string',
    defaultText: '/etc/wharf/daemon.json',
    help: 'Daemon configuration file',
  },
  {
    flag: 'conmon',
    key: 'conmon',
    kind: 'string',
    placeholder: 'path',
    help: 'Path of the conmon monitor (found on the PATH by default)',
  },
  {
    flag: 'data-root',
    key: 'data-root',
    kind: 'string',
    defaultText: '/var/lib/wharf',
    help: 'Root directory of persistent state',
  },
  { flag: 'debug', key: 'debug', short: 'D', kind: 'boolean', help: 'Enable debug mode' },
  {
    flag: 'default-address-pool',
    key: 'default-address-pools',
    kind: 'list',
    placeholder: 'base=CIDR,size=N',
    help: 'Address pools for networks',
  },
  {
    flag: 'default-cgroupns-mode',
    key: 'default-cgroupns-mode',
    kind: 'string',
    help: 'Cgroup namespace of containers ("host" or "private")',
  },
  {
    flag: 'default-ipc-mode',
    key: 'default-ipc-mode',
    kind: 'string',
    defaultText: 'private',
    help: 'IPC namespace of containers ("shareable" or "private")',
  },
  {
    flag: 'default-runtime',
    key: 'default-runtime',
    kind: 'string',
    defaultText: 'crun',
    help: 'OCI runtime for containers',
  },
  {
    flag: 'default-shm-size',
    key: 'default-shm-size',
    kind: 'string',
    placeholder: 'bytes',
    defaultText: '64MiB',
    help: 'Size of /dev/shm in containers',
  },
  {
    flag: 'default-ulimit',
    key: 'default-ulimits',
    kind: 'list',
    placeholder: 'name=soft:hard',
    help: 'Ulimits of containers',
  },
  { flag: 'dns', key: 'dns', kind: 'list', help: 'DNS servers for containers' },
  { flag: 'dns-opt', key: 'dns-opts', kind: 'list', help: 'DNS options for containers' },
  { flag: 'dns-search', key: 'dns-search', kind: 'list', help: 'DNS search domains for containers' },
  {
    flag: 'exec-root',
    key: 'exec-root',
    kind: 'string',
    defaultText: '/run/wharf',
    help: 'Root directory of execution state',
  },
  {
    flag: 'group',
    key: 'group',
    short: 'G',
    kind: 'string',
    defaultText: 'wharf',
    help: 'Group of the Unix socket',
  },
  {
    flag: 'host',
    key: 'hosts',
    short: 'H',
    kind: 'list',
    placeholder: 'list',
    defaultText: 'unix:///run/wharf/wharf.sock',
    help: 'Daemon socket(s) to listen on',
  },
  {
    flag: 'host-gateway-ip',
    key: 'host-gateway-ip',
    kind: 'string',
    placeholder: 'ip',
    help: 'Address that "host-gateway" in --add-host stands for (default: the bridge\'s)',
  },
  {
    flag: 'init',
    key: 'init',
    kind: 'boolean',
    help: 'Run an init inside containers that do not say otherwise',
  },
  {
    flag: 'init-path',
    key: 'init-path',
    kind: 'string',
    placeholder: 'path',
    help: 'Path of the init binary (tini, docker-init or catatonit by default)',
  },
  {
    flag: 'insecure-no-tls',
    key: undefined,
    kind: 'boolean',
    help: 'Serve TCP hosts without TLS: whoever reaches them is root on this machine',
  },
  {
    flag: 'ip',
    key: 'ip',
    kind: 'string',
    placeholder: 'ip',
    defaultText: '0.0.0.0',
    help: 'Host address for published ports that name none',
  },
  {
    flag: 'label',
    key: 'labels',
    kind: 'list',
    placeholder: 'key=value',
    help: 'Labels of the daemon, shown by info',
  },
  {
    flag: 'live-restore',
    key: 'live-restore',
    kind: 'boolean',
    defaultText: 'true',
    help: 'Keep containers running while the daemon is down',
  },
  {
    flag: 'log-driver',
    key: 'log-driver',
    kind: 'string',
    defaultText: 'json-file',
    help: 'Default log driver of containers ("json-file", "local" or "none")',
  },
  {
    flag: 'log-level',
    key: 'log-level',
    short: 'l',
    kind: 'string',
    defaultText: 'info',
    help: 'Level of the daemon\'s own log ("debug", "info", "warn", "error")',
  },
  {
    flag: 'log-opt',
    key: 'log-opts',
    kind: 'map',
    placeholder: 'key=value',
    help: 'Default log options of containers',
  },
  { flag: 'mtu', key: 'mtu', kind: 'integer', defaultText: '1500', help: 'MTU of the default bridge' },
  {
    flag: 'nft-table',
    key: 'nft-table',
    kind: 'string',
    help: 'Name of the nftables table (derived from the bridge by default)',
  },
  {
    flag: 'no-new-privileges',
    key: 'no-new-privileges',
    kind: 'boolean',
    help: 'Set no-new-privileges on containers that do not say otherwise',
  },
  {
    flag: 'pidfile',
    key: 'pidfile',
    short: 'p',
    kind: 'string',
    help: "Path of the daemon's PID file (in the exec root by default)",
  },
  {
    flag: 'seccomp-profile',
    key: 'seccomp-profile',
    kind: 'string',
    placeholder: 'path',
    help: 'Path of the default seccomp profile, or "unconfined"',
  },
  {
    flag: 'shutdown-timeout',
    key: 'shutdown-timeout',
    kind: 'integer',
    placeholder: 'seconds',
    defaultText: '15',
    help: 'Time for containers to stop when the daemon ends without live-restore',
  },
  { flag: 'tls', key: 'tls', kind: 'boolean', help: 'Use mutual TLS; the same as --tlsverify' },
  {
    flag: 'tlscacert',
    key: 'tlscacert',
    kind: 'string',
    placeholder: 'path',
    defaultText: '/etc/wharf/ca.pem',
    help: 'Trust client certificates signed by this CA',
  },
  {
    flag: 'tlscert',
    key: 'tlscert',
    kind: 'string',
    placeholder: 'path',
    defaultText: '/etc/wharf/server-cert.pem',
    help: 'Path of the TLS certificate',
  },
  {
    flag: 'tlskey',
    key: 'tlskey',
    kind: 'string',
    placeholder: 'path',
    defaultText: '/etc/wharf/server-key.pem',
    help: 'Path of the TLS key',
  },
  {
    flag: 'tlsverify',
    key: 'tlsverify',
    kind: 'boolean',
    help: 'Use mutual TLS: clients must show a certificate of the CA',
  },
  {
    flag: 'trace-file',
    key: undefined,
    kind: 'string',
    placeholder: 'path',
    help: 'Write how long each step of each call takes to this file, as JSON lines',
  },
  { flag: 'validate', key: undefined, kind: 'boolean', help: 'Check the configuration and exit' },
  {
    flag: 'version',
    key: undefined,
    short: 'v',
    kind: 'boolean',
    help: 'Print version information and exit',
  },
];

/** What dockerd knows and wharfd does not do; named, so that the answer is clear. */
export const REFUSED_KEYS: Readonly<Record<string, string>> = {
  'authorization-plugins': 'authorization plugins are not supported',
  containerd: 'wharfd has no containerd; it drives OCI runtimes itself',
  features: 'there are no optional features to turn on or off',
  'fixed-cidr': 'use bip; an address range of the bridge comes with user networks',
  iptables: 'wharfd uses nftables only, in a table of its own',
  ip6tables: 'wharfd uses nftables only, in a table of its own',
  ipv6: 'IPv6 on the default bridge is not supported yet',
  'registry-mirrors': 'pulling from registries is not supported yet',
  'insecure-registries': 'pulling from registries is not supported yet',
  'selinux-enabled': 'SELinux labelling is not supported',
  'storage-driver': 'the storage driver is always overlay2',
  'userland-proxy': 'published ports are served by the kernel; there is no proxy to turn on',
  'userns-remap': 'user namespace remapping is not supported',
};
