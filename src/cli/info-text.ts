import { binarySize } from './human.ts';

/** The parts of GET /info that are shown. */
export type ServerInfo = Record<string, unknown> & {
  Warnings?: string[] | null;
  DriverStatus?: [string, string][] | null;
  Plugins?: { Volume?: string[]; Network?: string[]; Log?: string[]; Authorization?: string[] | null };
  CDISpecDirs?: string[] | null;
  Swarm?: { LocalNodeState?: string };
  Runtimes?: Record<string, unknown>;
  SecurityOptions?: string[] | null;
  Labels?: string[] | null;
  RegistryConfig?: {
    InsecureRegistryCIDRs?: string[];
    Mirrors?: string[] | null;
    IndexConfigs?: Record<string, { Secure: boolean }>;
  } | null;
  DefaultAddressPools?: { Base: string; Size: number }[] | null;
  MemTotal?: number;
};

/** The server's part of `info`, line by line. */
export function infoLines(info: ServerInfo): string[] {
  const id = (name: string): string => String((info[name] as { ID?: string } | undefined)?.ID ?? '');
  const text = (name: string): string => String(info[name] ?? '');
  const optional = (label: string, name: string): string[] =>
    text(name) === '' ? [] : [` ${label}: ${text(name)}`];
  return [
    ` Containers: ${text('Containers')}`,
    `  Running: ${text('ContainersRunning')}`,
    `  Paused: ${text('ContainersPaused')}`,
    `  Stopped: ${text('ContainersStopped')}`,
    ` Images: ${text('Images')}`,
    ...optional('Server Version', 'ServerVersion'),
    ` Storage Driver: ${text('Driver')}`,
    ...(info.DriverStatus ?? []).map(([name, value]) => `  ${name}: ${value}`),
    ` Logging Driver: ${text('LoggingDriver')}`,
    ` Cgroup Driver: ${text('CgroupDriver')}`,
    ` Cgroup Version: ${text('CgroupVersion')}`,
    ' Plugins:',
    `  Volume: ${(info.Plugins?.Volume ?? []).join(' ')}`,
    `  Network: ${(info.Plugins?.Network ?? []).join(' ')}`,
    ...(info.Plugins?.Authorization?.length
      ? [`  Authorization: ${info.Plugins.Authorization.join(' ')}`]
      : []),
    `  Log: ${(info.Plugins?.Log ?? []).join(' ')}`,
    ...(info.CDISpecDirs?.length
      ? [' CDI spec directories:', ...info.CDISpecDirs.map((dir) => `  ${dir}`)]
      : []),
    ` Swarm: ${info.Swarm?.LocalNodeState ?? 'inactive'}`,
    ` Runtimes: ${Object.keys(info.Runtimes ?? {})
      .sort()
      .join(' ')}`,
    ` Default Runtime: ${text('DefaultRuntime')}`,
    ` Init Binary: ${text('InitBinary')}`,
    ` containerd version: ${id('ContainerdCommit')}`,
    ` runc version: ${id('RuncCommit')}`,
    ` init version: ${id('InitCommit')}`,
    ...securityLines(info.SecurityOptions ?? []),
    ` Kernel Version: ${text('KernelVersion')}`,
    ` Operating System: ${text('OperatingSystem')}`,
    ` OSType: ${text('OSType')}`,
    ` Architecture: ${text('Architecture')}`,
    ` CPUs: ${text('NCPU')}`,
    ` Total Memory: ${binarySize(info.MemTotal ?? 0)}`,
    ` Name: ${text('Name')}`,
    ` ID: ${text('ID')}`,
    ` Docker Root Dir: ${text('DockerRootDir')}`,
    ` Debug Mode: ${text('Debug')}`,
    ...optional('HTTP Proxy', 'HttpProxy'),
    ...optional('HTTPS Proxy', 'HttpsProxy'),
    ...optional('No Proxy', 'NoProxy'),
    ...(info.Labels?.length ? [' Labels:', ...info.Labels.map((label) => `  ${label}`)] : []),
    ` Experimental: ${text('ExperimentalBuild')}`,
    ...registryLines(info.RegistryConfig),
    ` Live Restore Enabled: ${text('LiveRestoreEnabled')}`,
    ...optional('Product License', 'ProductLicense'),
    ...(info.DefaultAddressPools?.length
      ? [
          ' Default Address Pools:',
          ...info.DefaultAddressPools.map((pool) => `   Base: ${pool.Base}, Size: ${pool.Size}`),
        ]
      : []),
  ];
}

function securityLines(options: readonly string[]): string[] {
  if (options.length === 0) return [];
  const lines = options.flatMap((option) => {
    const pairs = option.split(',').map((pair) => pair.split('=', 2));
    const name = pairs.find(([key]) => key === 'name')?.[1] ?? option;
    return [
      `  ${name}`,
      ...pairs.filter(([key]) => key === 'profile').map(([, value]) => `   Profile: ${value}`),
    ];
  });
  return [' Security Options:', ...lines];
}

function registryLines(config: ServerInfo['RegistryConfig']): string[] {
  if (!config) return [];
  const insecure = Object.entries(config.IndexConfigs ?? {})
    .filter(([, index]) => !index.Secure)
    .map(([name]) => name);
  const cidrs = [...insecure, ...(config.InsecureRegistryCIDRs ?? [])];
  const mirrors = config.Mirrors ?? [];
  return [
    ...(cidrs.length > 0 ? [' Insecure Registries:', ...cidrs.map((each) => `  ${each}`)] : []),
    ...(mirrors.length > 0 ? [' Registry Mirrors:', ...mirrors.map((each) => `  ${each}`)] : []),
  ];
}
