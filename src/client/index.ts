export { type Endpoint, parseAddress, type TlsMaterial } from './address.ts';
export * from './containers.ts';
export * from './copies.ts';
export * from './copies-in-place.ts';
export { Demultiplexer, type StreamName } from './demux.ts';
export type * from './documents.ts';
export {
  CLIENT_API_VERSION,
  EngineClient,
  type Hijacked,
  isEngineError,
  olderVersion,
  type Query,
  queryText,
  type RequestOptions,
  readAll,
} from './engine-client.ts';
export * from './execs.ts';
export { isConnectionLost } from './failure.ts';
export * from './images.ts';
export { jsonLines, jsonTexts, type ProgressMessage } from './json-lines.ts';
export * from './networks.ts';
export * from './plans.ts';
export * from './system.ts';
export * from './volumes.ts';
