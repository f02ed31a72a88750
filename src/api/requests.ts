import { WharfError } from '../base/index.ts';
import { decodeJson } from './decode.ts';
import type {
  AuthConfig,
  ConfigReference,
  ContainerConfig,
  EndpointSettings,
  HostConfig,
  IPAM,
  NetworkingConfig,
  OCIPlatform,
  Resources,
  RestartPolicy,
  VolumeCreateOptions,
} from './types/index.ts';

/** Body of `POST /containers/create`, its three parts taken apart. */
export interface ContainerCreateRequest {
  config: ContainerConfig;
  /** `KernelMemory` belongs to API versions before 1.42. */
  hostConfig: HostConfig & { KernelMemory?: number };
  networkingConfig: NetworkingConfig;
}

/** Body of `POST /containers/{id}/exec`. */
export interface ExecCreateRequest {
  AttachStdin?: boolean;
  AttachStdout?: boolean;
  AttachStderr?: boolean;
  Tty?: boolean;
  Cmd?: string[];
  Env?: string[];
  User?: string;
  Privileged?: boolean;
  WorkingDir?: string;
  DetachKeys?: string;
  /** Height and width. */
  ConsoleSize?: number[];
}

/** Body of `POST /exec/{id}/start`. */
export interface ExecStartRequest {
  Detach?: boolean;
  Tty?: boolean;
  /** Height and width. */
  ConsoleSize?: number[];
}

/** Body of `POST /networks/create`. */
export interface NetworkCreateRequest {
  Name?: string;
  /** Without effect since API 1.44: names are always unique. */
  CheckDuplicate?: boolean;
  Driver?: string;
  Scope?: string;
  EnableIPv4?: boolean;
  EnableIPv6?: boolean;
  IPAM?: IPAM;
  Internal?: boolean;
  Attachable?: boolean;
  Ingress?: boolean;
  ConfigOnly?: boolean;
  ConfigFrom?: ConfigReference;
  Options?: Record<string, string>;
  Labels?: Record<string, string>;
}

/** Body of `POST /networks/{id}/connect`. */
export interface NetworkConnectRequest {
  Container?: string;
  EndpointConfig?: EndpointSettings;
}

/** Body of `POST /networks/{id}/disconnect`. */
export interface NetworkDisconnectRequest {
  Container?: string;
  Force?: boolean;
}

/** Body of `POST /wharf/networks/{id}/renumber`. */
export interface NetworkRenumberRequest {
  IPAM?: IPAM;
}

/** Decodes the body of a container create; `invalid` with Docker's text when it is malformed or has no configuration. */
export function decodeContainerCreate(text: string): ContainerCreateRequest {
  const decoded = decodeJson(text, 'container.CreateRequest') as ContainerConfig & {
    HostConfig?: HostConfig;
    NetworkingConfig?: NetworkingConfig;
  };
  const { HostConfig: hostConfig = {}, NetworkingConfig: networkingConfig = {}, ...config } = decoded;
  if (Object.keys(config).length === 0) {
    throw new WharfError('invalid', 'config cannot be empty in order to create a container');
  }
  for (const [network, endpoint] of Object.entries(networkingConfig.EndpointsConfig ?? {})) {
    if (endpoint === null) {
      throw new WharfError('invalid', `invalid config for network ${network}: EndpointsConfig is nil`);
    }
  }
  return { config, hostConfig, networkingConfig };
}

/** Decodes the body of a commit: the config alone. */
export function decodeContainerConfig(text: string): ContainerConfig {
  const {
    HostConfig: _,
    NetworkingConfig: __,
    ...config
  } = decodeJson(text, 'container.CreateRequest') as ContainerConfig & {
    HostConfig?: HostConfig;
    NetworkingConfig?: NetworkingConfig;
  };
  return config;
}

/** Decodes the body of a container update. */
export function decodeContainerUpdate(text: string): Resources & { RestartPolicy?: RestartPolicy } {
  return decodeJson(text, 'container.UpdateConfig', 'UpdateConfig') as Resources & {
    RestartPolicy?: RestartPolicy;
  };
}

/** Decodes the body of an exec create; `invalid` when it has no command. */
export function decodeExecCreate(text: string): ExecCreateRequest {
  const decoded = decodeJson(text, 'container.ExecOptions', 'ExecOptions') as ExecCreateRequest;
  if (!decoded.Cmd || decoded.Cmd.length === 0) throw new WharfError('invalid', 'No exec command specified');
  return decoded;
}

/** Decodes the body of an exec start. */
export function decodeExecStart(text: string): ExecStartRequest {
  return decodeJson(text, 'container.ExecStartOptions', 'ExecStartOptions') as ExecStartRequest;
}

/** Decodes the body of a volume create. */
export function decodeVolumeCreate(text: string): VolumeCreateOptions {
  return decodeJson(text, 'volume.CreateOptions', 'CreateOptions') as VolumeCreateOptions;
}

/** Decodes the body of a network create. */
export function decodeNetworkCreate(text: string): NetworkCreateRequest {
  return decodeJson(text, 'network.CreateRequest', 'CreateRequest') as NetworkCreateRequest;
}

/** Decodes the body of a connect of a container to a network. */
export function decodeNetworkConnect(text: string): NetworkConnectRequest {
  return decodeJson(text, 'network.ConnectOptions', 'ConnectOptions') as NetworkConnectRequest;
}

/** Decodes the body of a disconnect of a container from a network. */
export function decodeNetworkDisconnect(text: string): NetworkDisconnectRequest {
  return decodeJson(text, 'network.DisconnectOptions', 'DisconnectOptions') as NetworkDisconnectRequest;
}

/** Decodes the body of Wharf's own renumbering of a network. */
export function decodeNetworkRenumber(text: string): NetworkRenumberRequest {
  return decodeJson(text, 'wharf.RenumberRequest', 'RenumberRequest') as NetworkRenumberRequest;
}

/** Decodes credentials, as the body of `POST /auth`. Their values are never put into errors. */
export function decodeAuth(text: string): AuthConfig {
  return decodeJson(text, 'registry.AuthConfig') as AuthConfig;
}

/** Decodes the `platform` query parameter, an OCI platform as JSON; undefined when it is empty. */
export function decodePlatform(text: string | null): OCIPlatform | undefined {
  if (text === null || text === '') return undefined;
  const platform = decodePlatformJson(text);
  if (!platform.os && !platform.architecture) {
    throw new WharfError('invalid', 'both OS and Architecture must be provided');
  }
  return platform;
}

function decodePlatformJson(text: string): OCIPlatform {
  try {
    return decodeJson(text, 'v1.Platform', 'Platform') as OCIPlatform;
  } catch (thrown) {
    const message = WharfError.from(thrown).message.replace(/^invalid JSON: /, '');
    throw new WharfError('invalid', `failed to parse platform: ${message}`, { cause: thrown });
  }
}
