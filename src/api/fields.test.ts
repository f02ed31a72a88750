import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  decodeContainerCreate,
  decodeContainerUpdate,
  decodeExecCreate,
  decodeExecStart,
  decodeNetworkConnect,
  decodeNetworkCreate,
  decodeNetworkDisconnect,
  decodeVolumeCreate,
} from './index.ts';

// Every field of the request bodies and the Go type that Docker Engine 28.5.2 names when it refuses a wrong value there.
// `0` is an element of a list, `k` a key of a map; `strslice` is a list that may also be one string.
const CREATE = `
Hostname: string
Domainname: string
User: string
AttachStdin: bool
AttachStdout: bool
AttachStderr: bool
ExposedPorts: nat.PortSet
Tty: bool
OpenStdin: bool
StdinOnce: bool
Env: []string
Env 0: string
Cmd: strslice
Healthcheck: v1.HealthcheckConfig
Healthcheck Test: []string
Healthcheck Test 0: string
Healthcheck Interval: time.Duration
Healthcheck Timeout: time.Duration
Healthcheck StartPeriod: time.Duration
Healthcheck StartInterval: time.Duration
Healthcheck Retries: int
ArgsEscaped: bool
Image: string
Volumes: map[string]struct {}
WorkingDir: string
Entrypoint: strslice
NetworkDisabled: bool
MacAddress: string
OnBuild: []string
OnBuild 0: string
Labels: map[string]string
Labels k: string
StopSignal: string
StopTimeout: int
Shell: strslice
HostConfig: container.HostConfig
HostConfig CpuShares: int64
HostConfig Memory: int64
HostConfig NanoCpus: int64
HostConfig CgroupParent: string
HostConfig BlkioWeight: uint16
HostConfig BlkioWeightDevice: []*blkiodev.WeightDevice
HostConfig BlkioWeightDevice 0: blkiodev.WeightDevice
HostConfig BlkioWeightDevice 0 Path: string
HostConfig BlkioWeightDevice 0 Weight: uint16
HostConfig BlkioDeviceReadBps: []*blkiodev.ThrottleDevice
HostConfig BlkioDeviceReadBps 0: blkiodev.ThrottleDevice
HostConfig BlkioDeviceReadBps 0 Path: string
HostConfig BlkioDeviceReadBps 0 Rate: uint64
HostConfig BlkioDeviceWriteBps: []*blkiodev.ThrottleDevice
HostConfig BlkioDeviceWriteBps 0: blkiodev.ThrottleDevice
HostConfig BlkioDeviceWriteBps 0 Path: string
HostConfig BlkioDeviceWriteBps 0 Rate: uint64
HostConfig BlkioDeviceReadIOps: []*blkiodev.ThrottleDevice
HostConfig BlkioDeviceReadIOps 0: blkiodev.ThrottleDevice
HostConfig BlkioDeviceReadIOps 0 Path: string
HostConfig BlkioDeviceReadIOps 0 Rate: uint64
HostConfig BlkioDeviceWriteIOps: []*blkiodev.ThrottleDevice
HostConfig BlkioDeviceWriteIOps 0: blkiodev.ThrottleDevice
HostConfig BlkioDeviceWriteIOps 0 Path: string
HostConfig BlkioDeviceWriteIOps 0 Rate: uint64
HostConfig CpuPeriod: int64
HostConfig CpuQuota: int64
HostConfig CpuRealtimePeriod: int64
HostConfig CpuRealtimeRuntime: int64
HostConfig CpusetCpus: string
HostConfig CpusetMems: string
HostConfig Devices: []container.DeviceMapping
HostConfig Devices 0: container.DeviceMapping
HostConfig Devices 0 PathOnHost: string
HostConfig Devices 0 PathInContainer: string
HostConfig Devices 0 CgroupPermissions: string
HostConfig DeviceCgroupRules: []string
HostConfig DeviceCgroupRules 0: string
HostConfig DeviceRequests: []container.DeviceRequest
HostConfig DeviceRequests 0: container.DeviceRequest
HostConfig DeviceRequests 0 Driver: string
HostConfig DeviceRequests 0 Count: int
HostConfig DeviceRequests 0 DeviceIDs: []string
HostConfig DeviceRequests 0 DeviceIDs 0: string
HostConfig DeviceRequests 0 Capabilities: [][]string
HostConfig DeviceRequests 0 Capabilities 0: []string
HostConfig DeviceRequests 0 Capabilities 0 0: string
HostConfig DeviceRequests 0 Options: map[string]string
HostConfig DeviceRequests 0 Options k: string
HostConfig KernelMemory: int64
HostConfig KernelMemoryTCP: int64
HostConfig MemoryReservation: int64
HostConfig MemorySwap: int64
HostConfig MemorySwappiness: int64
HostConfig OomKillDisable: bool
HostConfig PidsLimit: int64
HostConfig Ulimits: []*units.Ulimit
HostConfig Ulimits 0: units.Ulimit
HostConfig Ulimits 0 Name: string
HostConfig Ulimits 0 Hard: int64
HostConfig Ulimits 0 Soft: int64
HostConfig CpuCount: int64
HostConfig CpuPercent: int64
HostConfig IOMaximumIOps: uint64
HostConfig IOMaximumBandwidth: uint64
HostConfig Binds: []string
HostConfig Binds 0: string
HostConfig ContainerIDFile: string
HostConfig LogConfig: container.LogConfig
HostConfig LogConfig Type: string
HostConfig LogConfig Config: map[string]string
HostConfig LogConfig Config k: string
HostConfig NetworkMode: container.NetworkMode
HostConfig PortBindings: nat.PortMap
HostConfig PortBindings k: []nat.PortBinding
HostConfig PortBindings k 0: nat.PortBinding
HostConfig PortBindings k 0 HostIp: string
HostConfig PortBindings k 0 HostPort: string
HostConfig RestartPolicy: container.RestartPolicy
HostConfig RestartPolicy Name: container.RestartPolicyMode
HostConfig RestartPolicy MaximumRetryCount: int
HostConfig AutoRemove: bool
HostConfig VolumeDriver: string
HostConfig VolumesFrom: []string
HostConfig VolumesFrom 0: string
HostConfig ConsoleSize: [2]uint
HostConfig ConsoleSize 0: uint
HostConfig Annotations: map[string]string
HostConfig Annotations k: string
HostConfig CapAdd: strslice
HostConfig CapDrop: strslice
HostConfig CgroupnsMode: container.CgroupnsMode
HostConfig Dns: []string
HostConfig Dns 0: string
HostConfig DnsOptions: []string
HostConfig DnsOptions 0: string
HostConfig DnsSearch: []string
HostConfig DnsSearch 0: string
HostConfig ExtraHosts: []string
HostConfig ExtraHosts 0: string
HostConfig GroupAdd: []string
HostConfig GroupAdd 0: string
HostConfig IpcMode: container.IpcMode
HostConfig Cgroup: container.CgroupSpec
HostConfig Links: []string
HostConfig Links 0: string
HostConfig OomScoreAdj: int
HostConfig PidMode: container.PidMode
HostConfig Privileged: bool
HostConfig PublishAllPorts: bool
HostConfig ReadonlyRootfs: bool
HostConfig SecurityOpt: []string
HostConfig SecurityOpt 0: string
HostConfig StorageOpt: map[string]string
HostConfig StorageOpt k: string
HostConfig Tmpfs: map[string]string
HostConfig Tmpfs k: string
HostConfig UTSMode: container.UTSMode
HostConfig UsernsMode: container.UsernsMode
HostConfig ShmSize: int64
HostConfig Sysctls: map[string]string
HostConfig Sysctls k: string
HostConfig Runtime: string
HostConfig Isolation: container.Isolation
HostConfig Mounts: []mount.Mount
HostConfig Mounts 0: mount.Mount
HostConfig Mounts 0 Type: mount.Type
HostConfig Mounts 0 Source: string
HostConfig Mounts 0 Target: string
HostConfig Mounts 0 ReadOnly: bool
HostConfig Mounts 0 Consistency: mount.Consistency
HostConfig Mounts 0 BindOptions: mount.BindOptions
HostConfig Mounts 0 BindOptions Propagation: mount.Propagation
HostConfig Mounts 0 BindOptions NonRecursive: bool
HostConfig Mounts 0 BindOptions CreateMountpoint: bool
HostConfig Mounts 0 BindOptions ReadOnlyNonRecursive: bool
HostConfig Mounts 0 BindOptions ReadOnlyForceRecursive: bool
HostConfig Mounts 0 VolumeOptions: mount.VolumeOptions
HostConfig Mounts 0 VolumeOptions NoCopy: bool
HostConfig Mounts 0 VolumeOptions Labels: map[string]string
HostConfig Mounts 0 VolumeOptions Labels k: string
HostConfig Mounts 0 VolumeOptions Subpath: string
HostConfig Mounts 0 VolumeOptions DriverConfig: mount.Driver
HostConfig Mounts 0 VolumeOptions DriverConfig Name: string
HostConfig Mounts 0 VolumeOptions DriverConfig Options: map[string]string
HostConfig Mounts 0 VolumeOptions DriverConfig Options k: string
HostConfig Mounts 0 ImageOptions: mount.ImageOptions
HostConfig Mounts 0 ImageOptions Subpath: string
HostConfig Mounts 0 TmpfsOptions: mount.TmpfsOptions
HostConfig Mounts 0 TmpfsOptions SizeBytes: int64
HostConfig Mounts 0 TmpfsOptions Mode: fs.FileMode
HostConfig Mounts 0 TmpfsOptions Options: [][]string
HostConfig Mounts 0 TmpfsOptions Options 0: []string
HostConfig Mounts 0 TmpfsOptions Options 0 0: string
HostConfig MaskedPaths: []string
HostConfig MaskedPaths 0: string
HostConfig ReadonlyPaths: []string
HostConfig ReadonlyPaths 0: string
HostConfig Init: bool
NetworkingConfig: network.NetworkingConfig
NetworkingConfig EndpointsConfig: map[string]*network.EndpointSettings
NetworkingConfig EndpointsConfig k: network.EndpointSettings
NetworkingConfig EndpointsConfig k IPAMConfig: network.EndpointIPAMConfig
NetworkingConfig EndpointsConfig k IPAMConfig IPv4Address: string
NetworkingConfig EndpointsConfig k IPAMConfig IPv6Address: string
NetworkingConfig EndpointsConfig k IPAMConfig LinkLocalIPs: []string
NetworkingConfig EndpointsConfig k IPAMConfig LinkLocalIPs 0: string
NetworkingConfig EndpointsConfig k Links: []string
NetworkingConfig EndpointsConfig k Links 0: string
NetworkingConfig EndpointsConfig k Aliases: []string
NetworkingConfig EndpointsConfig k Aliases 0: string
NetworkingConfig EndpointsConfig k MacAddress: string
NetworkingConfig EndpointsConfig k DriverOpts: map[string]string
NetworkingConfig EndpointsConfig k DriverOpts k: string
NetworkingConfig EndpointsConfig k GwPriority: int
NetworkingConfig EndpointsConfig k NetworkID: string
NetworkingConfig EndpointsConfig k EndpointID: string
NetworkingConfig EndpointsConfig k Gateway: string
NetworkingConfig EndpointsConfig k IPAddress: string
NetworkingConfig EndpointsConfig k IPPrefixLen: int
NetworkingConfig EndpointsConfig k IPv6Gateway: string
NetworkingConfig EndpointsConfig k GlobalIPv6Address: string
NetworkingConfig EndpointsConfig k GlobalIPv6PrefixLen: int
NetworkingConfig EndpointsConfig k DNSNames: []string
NetworkingConfig EndpointsConfig k DNSNames 0: string
`;
const UPDATE = `
Memory: int64
DeviceRequests 0 Capabilities 0 0: string
PidsLimit: int64
Ulimits: []*units.Ulimit
Ulimits 0: units.Ulimit
Ulimits 0 Name: string
Ulimits 0 Hard: int64
RestartPolicy: container.RestartPolicy
RestartPolicy Name: container.RestartPolicyMode
RestartPolicy MaximumRetryCount: int
`;
const EXEC = `
User: string
Privileged: bool
Tty: bool
ConsoleSize: [2]uint
ConsoleSize 0: uint
AttachStdin: bool
AttachStderr: bool
AttachStdout: bool
DetachKeys: string
Env: []string
Env 0: string
WorkingDir: string
Cmd: []string
Cmd 0: string
`;
const START = `
Detach: bool
Tty: bool
ConsoleSize: [2]uint
ConsoleSize 0: uint
`;
const VOLUME = `
ClusterVolumeSpec: volume.ClusterVolumeSpec
ClusterVolumeSpec Group: string
Driver: string
DriverOpts: map[string]string
DriverOpts k: string
Labels: map[string]string
Labels k: string
Name: string
`;
const NETWORK = `
Driver: string
Scope: string
EnableIPv4: bool
EnableIPv6: bool
IPAM: network.IPAM
IPAM Driver: string
IPAM Options: map[string]string
IPAM Options k: string
IPAM Config: []network.IPAMConfig
IPAM Config 0: network.IPAMConfig
IPAM Config 0 Subnet: string
IPAM Config 0 IPRange: string
IPAM Config 0 Gateway: string
IPAM Config 0 AuxiliaryAddresses: map[string]string
IPAM Config 0 AuxiliaryAddresses k: string
Internal: bool
Attachable: bool
Ingress: bool
ConfigOnly: bool
ConfigFrom: network.ConfigReference
ConfigFrom Network: string
Options: map[string]string
Options k: string
Labels: map[string]string
Labels k: string
Name: string
CheckDuplicate: bool
`;
const CONNECT = `
Container: string
EndpointConfig: network.EndpointSettings
EndpointConfig IPAMConfig: network.EndpointIPAMConfig
EndpointConfig Aliases: []string
EndpointConfig GwPriority: int
`;
const DISCONNECT = `
Container: string
Force: bool
`;

const BODIES: [name: string, table: string, root: string, decode: (text: string) => unknown][] = [
  ['container create', CREATE, '', decodeContainerCreate],
  ['container update', UPDATE, 'UpdateConfig', decodeContainerUpdate],
  ['exec create', EXEC, 'ExecOptions', decodeExecCreate],
  ['exec start', START, 'ExecStartOptions', decodeExecStart],
  ['volume create', VOLUME, 'CreateOptions', decodeVolumeCreate],
  ['network create', NETWORK, 'CreateRequest', decodeNetworkCreate],
  ['network connect', CONNECT, 'ConnectOptions', decodeNetworkConnect],
  ['network disconnect', DISCONNECT, 'DisconnectOptions', decodeNetworkDisconnect],
];

const rows = (table: string) =>
  table
    .trim()
    .split('\n')
    .map((line) => line.split(': ') as [path: string, type: string])
    .map(([path, type]) => ({ path: path.split(' '), type }));

/** The value inside the containers that its path names. */
function wrap(path: readonly string[], value: unknown): unknown {
  return path.reduceRight<unknown>((inner, key) => (key === '0' ? [inner] : { [key]: inner }), value);
}

function refusal(decode: (text: string) => unknown, body: unknown): string {
  try {
    decode(JSON.stringify(body));
  } catch (thrown) {
    assert.equal((thrown as { kind?: string }).kind, 'invalid');
    return (thrown as Error).message;
  }
  return assert.fail(`accepted: ${JSON.stringify(body)}`);
}

/** A value that the Go type takes; undefined for structs, whose fields have rows of their own. */
function fitting(type: string): unknown {
  if (type === 'strslice' || type === '[]string') return ['one', 'two'];
  if (type === 'map[string]string') return { k: 'v', 'with/slash': '' };
  if (/^\[2\]/.test(type)) return [24, 80];
  if (/^(u?int\d*|time\.Duration|fs\.FileMode)$/.test(type)) return 7;
  if (type === 'bool') return true;
  return /^(string|mount\.(Type|Consistency|Propagation)|container\.\w+Mode|container\.(Isolation|CgroupSpec|RestartPolicyMode))$/.test(
    type,
  )
    ? 'text'
    : undefined;
}

/** What is found at the path in a decoded body; a container create comes in three parts. */
function found(decoded: unknown, path: readonly string[]): unknown {
  const parts = decoded as Record<string, unknown>;
  const [first = '', ...rest] = path;
  if (!('hostConfig' in parts)) return follow(parts, path);
  if (first === 'HostConfig') return follow(parts['hostConfig'], rest);
  return first === 'NetworkingConfig'
    ? follow(parts['networkingConfig'], rest)
    : follow(parts['config'], path);
}

function follow(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], value);
}

for (const [name, table, root, decode] of BODIES) {
  describe(`every field of ${name}`, () => {
    it('refuses a value of another type as the reference engine does', () => {
      for (const { path, type } of rows(table)) {
        const wrong = typeof fitting(type) === 'string' || type === 'strslice' ? 5 : 'x';
        const what = typeof wrong === 'string' ? 'string' : 'number';
        const where = `${root}.${path.join('.')}`;
        const into = path.at(-1) === '0' ? where : `Go struct field ${where}`;
        const expected =
          type === 'strslice'
            ? `${what} into Go value of type string`
            : `${what} into ${into} of type ${type}`;
        const message = refusal(decode, wrap(path, wrong));
        assert.equal(message, `invalid JSON: json: cannot unmarshal ${expected}`);
      }
    });

    it('refuses numbers that its integers cannot hold, and shows them as they came', () => {
      const numbers = rows(table).filter(({ type }) => fitting(type) === 7);
      for (const { path, type } of numbers) {
        const tooMany = /^(u|fs)/.test(type) ? -1 : 2 ** 64;
        for (const wrong of [1.5, tooMany, 1e300]) {
          const message = refusal(decode, wrap(path, wrong));
          assert.ok(message.includes(`number ${JSON.stringify(wrong)} into`), message);
          assert.ok(message.endsWith(`of type ${type}`), message);
        }
      }
    });

    it('keeps a fitting value where it was, under keys of any case', () => {
      for (const { path, type } of rows(table)) {
        const value = fitting(type);
        if (value === undefined) continue;
        const needed = name === 'exec create' ? { Cmd: ['x'] } : { Image: 'x', Name: 'x' };
        const body = { ...needed, ...(wrap(path, value) as object) };
        assert.deepEqual(found(decode(JSON.stringify(body)), path), value, path.join('.'));
        const shouted = path.map((key) => (key === 'k' || key === '0' ? key : key.toUpperCase()));
        const loud = { ...needed, ...(wrap(shouted, value) as object) };
        assert.deepEqual(found(decode(JSON.stringify(loud)), path), value, shouted.join('.'));
      }
    });

    it('takes null for absence wherever it stands', () => {
      for (const { path } of rows(table)) {
        if (path.at(-1) === '0' || path.at(-1) === 'k') continue;
        const body = { Cmd: ['x'], Image: 'x', ...(wrap(path, null) as object) };
        if (path.length === 1 && (path[0] === 'Cmd' || path[0] === 'Image')) continue;
        const parent = found(decode(JSON.stringify(body)), path.slice(0, -1));
        assert.ok(path.length === 1 || !Object.hasOwn(parent as object, path.at(-1) ?? ''), path.join('.'));
      }
    });
  });
}

it('a null element of a list of structs is an empty struct, never null', () => {
  for (const field of ['Ulimits', 'BlkioWeightDevice', 'BlkioDeviceReadBps', 'Mounts', 'Devices']) {
    const text = JSON.stringify({ Image: 'x', HostConfig: { [field]: [null] } });
    assert.deepEqual(found(decodeContainerCreate(text), ['HostConfig', field]), [{}], field);
  }
});
