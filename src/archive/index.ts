export { type ApplyOptions, applyLayer } from './apply-layer.ts';
export { type Compression, decompress, sniffCompression } from './decompress.ts';
export type { WhiteoutForm } from './layer-writer.ts';
export { DEFAULT_LIMITS } from './limits.ts';
export { type PackOptions, packTree } from './pack-tree.ts';
export { readTar } from './read-tar.ts';
export type * from './types.ts';
export { type UnpackRequest, type UnpackResult, unpackLayer } from './unpack-layer.ts';
export { type TarInput, TarPacker, writeTar } from './write-tar.ts';
