import type { Context } from '../command.ts';
import { type Listed, names } from './names.ts';

/** What may be typed. A word that ends in `=` or `:` wants more after it. */
type Offer = (context: Context) => Promise<readonly string[]> | readonly string[];

const words = (text: string): Offer => {
  const list = text.split(' ');
  return () => list;
};
const listed =
  (kind: Listed): Offer =>
  (context) =>
    names(context, kind);
/** Fixed words, and the running containers behind `container:`. */
const shared =
  (text: string): Offer =>
  async (context) => [
    ...text.split(' '),
    ...(await names(context, 'running')).map((name) => `container:${name}`),
  ];

const SIGNALS =
  'ABRT ALRM BUS CHLD CONT FPE HUP ILL INT IO KILL PIPE PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU ' +
  'URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX';

const CAPABILITIES =
  'AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH ' +
  'FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN ' +
  'NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT ' +
  'SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM';

const capabilities = words(`ALL ${CAPABILITIES.replace(/\w+/g, 'CAP_$&')}`);
const signals = words(SIGNALS);
const networks: Offer = async (context) => [
  ...new Set(['bridge', 'host', 'none', ...(await names(context, 'networks')), 'container:']),
  ...(await names(context, 'running')).map((name) => `container:${name}`),
];

const NETWORK_OPTIONS =
  'com.docker.network.bridge.enable_icc=false com.docker.network.bridge.enable_ip_masquerade=false ' +
  'com.docker.network.bridge.gateway_mode_ipv4= com.docker.network.bridge.gateway_mode_ipv6= ' +
  'com.docker.network.bridge.host_binding_ipv4= com.docker.network.bridge.name= ' +
  'com.docker.network.container_iface_prefix= com.docker.network.driver.mtu= ipvlan_flag= ipvlan_mode= ' +
  'macvlan_mode= parent= wharf.publish-policy=obey wharf.publish-policy=open';

const LOG_OPTIONS =
  'cache-compress= cache-disabled=true cache-max-file= cache-max-size= compress= env= env-regex= fluentd-address= ' +
  'fluentd-async=true fluentd-request-ack=true fluentd-sub-second-precision=true fluentd-write-timeout= gelf-address= ' +
  'gelf-compression-level= gelf-compression-type=gzip gelf-compression-type=none gelf-compression-type=zlib labels= ' +
  'labels-regex= max-buffer-size= max-file= max-size= mode=blocking mode=non-blocking syslog-address= ' +
  'syslog-facility= syslog-format=rfc3164 syslog-format=rfc5424 syslog-format=rfc5424micro syslog-tls-ca-cert= ' +
  'syslog-tls-cert= syslog-tls-key= syslog-tls-skip-verify=true tag=';

const COMMIT_CHANGES = 'CMD ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL ONBUILD STOPSIGNAL USER VOLUME WORKDIR';

/** Values by flag, wherever the flag stands. */
const ANYWHERE: Readonly<Record<string, Offer>> = {
  attach: words('stdin stdout stderr'),
  'cap-add': capabilities,
  'cap-drop': capabilities,
  cgroupns: words('host private'),
  context: listed('contexts'),
  format: words('json table'),
  ipc: shared('host none private shareable'),
  link: listed('running'),
  'log-driver': words('fluentd gelf journald json-file local none syslog'),
  'log-level': words('debug info warn error fatal'),
  'log-opt': words(LOG_OPTIONS),
  net: networks,
  network: networks,
  pid: shared('host'),
  platform: words('linux/386 linux/amd64 linux/arm/v7 linux/arm64'),
  pull: words('always missing never'),
  restart: words('no on-failure always unless-stopped'),
  'security-opt': words('apparmor= label= no-new-privileges seccomp= systempaths=unconfined'),
  signal: signals,
  'stop-signal': signals,
  ulimit: words(
    'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio sigpending stack'.replace(
      /\w+/g,
      '$&=',
    ),
  ),
  userns: words('host'),
  uts: words('host'),
  'volume-driver': words('local'),
  'volumes-from': listed('containers'),
};

/** Values by command and flag, where they differ from those above. */
const BY_COMMAND: Readonly<Record<string, Offer>> = {
  'builder prune filter': words('until='),
  'container commit change': words(COMMIT_CHANGES),
  'container prune filter': words('label= label!= until='),
  'container ls filter': words(
    'ancestor= before= exited= expose= health= id= label= name= network= publish= since= volume= ' +
      'status=created status=running status=paused status=restarting status=removing status=exited status=dead',
  ),
  'image import change': words(COMMIT_CHANGES),
  'image prune filter': words('dangling=true dangling=false label= label!= until='),
  'image ls filter': words('before= dangling=true dangling=false label= reference= since='),
  'network create config-from': listed('networks'),
  'network create driver': words('bridge ipvlan macvlan'),
  'network create opt': words(NETWORK_OPTIONS),
  'network prune filter': words('label= label!= until='),
  'network ls filter': words('dangling= driver= id= label= name= scope= type=custom type=builtin'),
  'system events filter': words('container= event= image= label= network= type= volume='),
  'system prune filter': words('label= label!= until='),
  'volume create opt': words('device= o= size= type=bind type=cifs type=nfs type=none type=tmpfs'),
  'volume prune filter': words('all=true label= label!='),
  'volume create driver': words('local'),
  'volume ls filter': words('dangling= driver= label= name='),
};

/** Flags whose value is a file: the shell's own completion serves those. */
const FILES: ReadonlySet<string> = new Set(
  'config cidfile env-file input label-file mount output tlscacert tlscert tlskey volume'.split(' '),
);

/** What may follow a flag of a command; undefined for a file, nothing where no word is known. */
export async function flagValues(
  context: Context,
  command: string,
  flag: string,
): Promise<readonly string[] | undefined> {
  if (FILES.has(flag)) return undefined;
  const offer = BY_COMMAND[`${command} ${flag}`] ?? ANYWHERE[flag];
  return offer ? await offer(context) : [];
}
