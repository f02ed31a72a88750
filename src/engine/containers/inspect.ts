import { dirname, join } from 'node:path';
import type {
  ContainerConfig,
  ContainerInspectResponse,
  ContainerState,
  DriverData,
  HostConfig,
} from '../../api/index.ts';
import type { NetworkStack } from '../../network/types.ts';
import type { Snapshotter } from '../../snapshot/types.ts';
import { networkFilePaths } from './container-paths.ts';
import { hostConfigDocument } from './host-config-document.ts';
import { linkDocuments } from './links.ts';
import type { NetworkSettingsOf } from './list.ts';
import { modeContainer } from './modes.ts';
import { mountDocuments } from './mount-documents.ts';
import type { ContainerRecord } from './record.ts';
import { containerSizes } from './sizes.ts';
import { countsAsRunning } from './status-text.ts';
import type { ContainerStore } from './store.ts';

export interface InspectDeps {
  store: ContainerStore;
  networks: Pick<NetworkStack, 'sandbox'>;
  networkSettings: NetworkSettingsOf;
  snapshotter: Snapshotter;
  dataRoot: string;
  /** Ids of the execs that run in that container. */
  execIds(containerId: string): string[];
}

/** The whole document of a container. Errors: `not-found`, `invalid` prefix. */
export async function inspectContainer(
  deps: InspectDeps,
  ref: string,
  options: { size: boolean },
): Promise<ContainerInspectResponse> {
  const record = deps.store.resolve(ref);
  const sandbox = record.sandboxId ? deps.networks.sandbox(record.sandboxId) : undefined;
  const target = modeContainer(record.hostConfig.NetworkMode);
  const targetRecord = target === undefined ? undefined : deps.store.get(target);
  const files = record.state.hasStarted
    ? networkFilePaths(deps.dataRoot, targetRecord?.id ?? record.id)
    : undefined;
  const execIds = deps.execIds(record.id);
  const sizes = options.size ? await containerSizes(deps.snapshotter, record.id) : {};
  return {
    Id: record.id,
    Created: record.created,
    Path: record.path,
    Args: record.args,
    State: stateDocument(record),
    Image: record.imageId,
    ResolvConfPath: files?.resolvConf ?? '',
    HostnamePath: files?.hostname ?? '',
    HostsPath: files?.hosts ?? '',
    // The format of `local` is nobody else's business, and neither is its place.
    LogPath:
      record.state.hasStarted && record.hostConfig.LogConfig?.Type === 'json-file' ? record.logPath : '',
    Name: `/${record.name}`,
    RestartCount: record.state.restartCount,
    Driver: driverName(deps.snapshotter),
    Platform: record.platform,
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: execIds.length > 0 ? execIds : null,
    HostConfig: hostConfigDocument({
      ...record.hostConfig,
      Links: linkDocuments(deps.store, record) as HostConfig['Links'],
    }),
    GraphDriver: graphDriver(deps.snapshotter, record.id),
    ...sizes,
    Mounts: mountDocuments(record),
    Config: configDocument(record.config),
    NetworkSettings: deps.networkSettings({
      record,
      ...(sandbox ? { sandbox } : {}),
      ...(targetRecord ? { targetRecord } : {}),
    }),
  };
}

/** `State` of inspect. */
export function stateDocument(record: Pick<ContainerRecord, 'state'>): ContainerState {
  const { state } = record;
  return {
    Status: state.status,
    Running: countsAsRunning(record),
    Paused: state.status === 'paused',
    Restarting: state.status === 'restarting',
    OOMKilled: state.oomKilled,
    Dead: state.status === 'dead',
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: state.startedAt,
    FinishedAt: state.finishedAt,
    ...(state.health ? { Health: state.health } : {}),
  };
}

/** Durations and counts that are zero are left out, as Docker does. */
function withoutZeros<T extends object>(document: T): T {
  return Object.fromEntries(Object.entries(document).filter(([, value]) => value !== 0)) as T;
}

/** `Config` of inspect, in Docker's order and with its nulls. */
function configDocument(config: ContainerConfig): ContainerConfig {
  const {
    ExposedPorts,
    Healthcheck,
    ArgsEscaped,
    NetworkDisabled,
    MacAddress,
    StopSignal,
    StopTimeout,
    Shell,
  } = config;
  const document: Record<string, unknown> = {
    Hostname: config.Hostname ?? '',
    Domainname: config.Domainname ?? '',
    User: config.User ?? '',
    AttachStdin: config.AttachStdin ?? false,
    AttachStdout: config.AttachStdout ?? false,
    AttachStderr: config.AttachStderr ?? false,
    ...(ExposedPorts && Object.keys(ExposedPorts).length ? { ExposedPorts } : {}),
    Tty: config.Tty ?? false,
    OpenStdin: config.OpenStdin ?? false,
    StdinOnce: config.StdinOnce ?? false,
    Env: config.Env?.length ? config.Env : null,
    Cmd: config.Cmd ?? null,
    ...(Healthcheck ? { Healthcheck: withoutZeros(Healthcheck) } : {}),
    ...(ArgsEscaped ? { ArgsEscaped } : {}),
    Image: config.Image ?? '',
    Volumes: config.Volumes ?? null,
    WorkingDir: config.WorkingDir ?? '',
    Entrypoint: config.Entrypoint ?? null,
    ...(NetworkDisabled ? { NetworkDisabled } : {}),
    ...(MacAddress ? { MacAddress } : {}),
    OnBuild: config.OnBuild ?? null,
    Labels: config.Labels ?? {},
    ...(StopSignal ? { StopSignal } : {}),
    ...(typeof StopTimeout === 'number' ? { StopTimeout } : {}),
    ...(Shell?.length ? { Shell } : {}),
  };
  return document as ContainerConfig;
}

/** The name under which clients know the storage driver. */
function driverName(snapshotter: Snapshotter): string {
  return snapshotter.name === 'overlay' ? 'overlay2' : snapshotter.name;
}

function graphDriver(snapshotter: Snapshotter, id: string): DriverData {
  const data: Record<string, string> = { ID: id };
  if (snapshotter.stat(id)) {
    for (const option of snapshotter.mount(id).options) {
      const at = option.indexOf('=');
      const field = { lowerdir: 'LowerDir', upperdir: 'UpperDir', workdir: 'WorkDir' }[option.slice(0, at)];
      if (field) data[field] = option.slice(at + 1);
    }
    if (data['UpperDir']) data['MergedDir'] = join(dirname(data['UpperDir']), 'merged');
  }
  return { Data: data, Name: driverName(snapshotter) };
}
