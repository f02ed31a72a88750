export { decodeJson } from './decode.ts';
export { checkFilterKeys, decodeFilters, type Filters } from './filters.ts';
export { explainSyntaxError, parseJson } from './json-text.ts';
export { boolValue, boolValueOr, intValue, terminalSide, timestamp } from './query.ts';
export {
  type ContainerCreateRequest,
  decodeAuth,
  decodeContainerConfig,
  decodeContainerCreate,
  decodeContainerUpdate,
  decodeExecCreate,
  decodeExecStart,
  decodeNetworkConnect,
  decodeNetworkCreate,
  decodeNetworkDisconnect,
  decodeNetworkRenumber,
  decodePlatform,
  decodeVolumeCreate,
  type ExecCreateRequest,
  type ExecStartRequest,
  type NetworkConnectRequest,
  type NetworkCreateRequest,
  type NetworkDisconnectRequest,
  type NetworkRenumberRequest,
} from './requests.ts';
export type * from './types/index.ts';
export {
  type ApiVersion,
  formatApiVersion,
  MAX_API_VERSION,
  MIN_API_VERSION,
  parseApiVersion,
  versionSegment,
} from './version.ts';
