import { NIL_LIST, NIL_MAP, type StructValue, type Value } from './template/index.ts';

/** Fields of the engine's documents whose objects are maps: their keys are data, not fields. */
const MAPS: ReadonlySet<string> = new Set([
  'Annotations',
  'AuxiliaryAddresses',
  'Containers',
  'Data',
  'DriverOpts',
  'ExposedPorts',
  'IndexConfigs',
  'Labels',
  'Networks',
  'Options',
  'PortBindings',
  'Ports',
  'Runtimes',
  'StorageOpt',
  'Sysctls',
  'Tmpfs',
  'Volumes',
  'Attributes',
  'status',
  'Details',
  'DaemonLabels',
  'Config:LogConfig',
  'Status',
]);

/** Fields that are lists, so that a null prints as an empty one. */
const LISTS: ReadonlySet<string> = new Set([
  'Binds',
  'BlkioDeviceReadBps',
  'BlkioDeviceReadIOps',
  'BlkioDeviceWriteBps',
  'BlkioDeviceWriteIOps',
  'BlkioWeightDevice',
  'CapAdd',
  'CapDrop',
  'Cmd',
  'DeviceCgroupRules',
  'DeviceRequests',
  'Devices',
  'Dns',
  'DnsOptions',
  'DnsSearch',
  'Entrypoint',
  'Env',
  'ExecIDs',
  'ExtraHosts',
  'GroupAdd',
  'Links',
  'MaskedPaths',
  'Mounts',
  'OnBuild',
  'ReadonlyPaths',
  'RepoDigests',
  'RepoTags',
  'SecondaryIPAddresses',
  'SecondaryIPv6Addresses',
  'SecurityOpt',
  'Shell',
  'Ulimits',
  'VolumesFrom',
  'Aliases',
  'DNSNames',
  'Layers',
  'Config:IPAM',
  'Warnings',
]);

/** Fields that the engine leaves out when empty, with what a template then sees. */
const OPTIONAL: Readonly<Record<string, Readonly<Record<string, Value>>>> = {
  '': { SizeRw: null, SizeRootFs: null },
  State: { Health: null },
  Config: {
    Healthcheck: null,
    StopTimeout: null,
    StopSignal: '',
    Shell: [],
    MacAddress: '',
    NetworkDisabled: false,
    ArgsEscaped: false,
  },
  HostConfig: {
    Init: null,
    Tmpfs: new Map(),
    StorageOpt: new Map(),
    Sysctls: new Map(),
    Mounts: [],
    Annotations: new Map(),
  },
};

/** A document of the engine as templates see it: structs and maps told apart by the field's name, nulls typed. */
export function documentValue(document: unknown): Value {
  const value = convert(document, '', '');
  if (typeof document !== 'object' || document === null || !('State' in document)) return value;
  const target = value as Record<string, Value>;
  for (const [path, fields] of Object.entries(OPTIONAL)) {
    const place = path === '' ? target : target[path];
    if (typeof place !== 'object' || place === null || Array.isArray(place) || place instanceof Map) continue;
    const holder = place as Record<string, Value>;
    for (const [name, missing] of Object.entries(fields))
      if (!Object.hasOwn(holder, name))
        Object.defineProperty(holder, name, { value: missing, enumerable: false });
  }
  return value;
}

function convert(value: unknown, name: string, parent: string): Value {
  const listed = (set: ReadonlySet<string>) => set.has(name) || set.has(`${name}:${parent}`);
  if (value === null || value === undefined) {
    if (listed(MAPS)) return NIL_MAP;
    return listed(LISTS) ? NIL_LIST : null;
  }
  if (Array.isArray(value)) return value.map((item) => convert(item, '', name));
  if (typeof value !== 'object') return value as Value;
  const entries = Object.entries(value);
  if (listed(MAPS)) return new Map(entries.map(([key, item]) => [key, convert(item, '', name)]));
  return Object.fromEntries(entries.map(([key, item]) => [key, convert(item, key, name)]));
}

/** Fields of an event as Go names them, by their names on the wire. */
const EVENT_FIELDS: Readonly<Record<string, string>> = {
  Status: 'status',
  ID: 'id',
  From: 'from',
  Scope: 'scope',
  Time: 'time',
  TimeNano: 'timeNano',
};

/** An event as templates see it. */
export function eventValue(document: unknown): Value {
  const value = documentValue(document);
  for (const [name, wire] of Object.entries(EVENT_FIELDS)) alias(value as StructValue, name, wire);
  return value;
}

/** A second name of a field, which is neither printed nor in JSON. */
export function alias(struct: StructValue, name: string, of: string): void {
  Object.defineProperty(struct, name, { value: struct[of] ?? '', enumerable: false });
}
