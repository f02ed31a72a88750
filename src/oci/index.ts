export { chainIds, digestOf, isDigest, parseDigest, splitDigest } from './digest.ts';
export {
  bareDescriptor,
  MAX_CONFIG_BYTES,
  MAX_MANIFEST_BYTES,
  parseImageConfig,
  parseIndex,
  parseManifest,
  parseManifestOrIndex,
} from './documents.ts';
export {
  bareMediaType,
  isIndexType,
  isLayerType,
  isManifestType,
  isSchema1Type,
  MediaTypes,
} from './media-types.ts';
export {
  choosePlatform,
  formatPlatform,
  hostPlatform,
  matchPlatform,
  normalizePlatform,
  parsePlatform,
} from './platform.ts';
export {
  parseReference,
  Reference,
  splitRepoTag,
  withDefaultTag,
  withDigest,
  withTag,
} from './reference.ts';
export type * from './types.ts';
