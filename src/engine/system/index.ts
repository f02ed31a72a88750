export { diskUsage, layerSizes } from './disk-usage.ts';
export { containerBytes, type FootprintDeps, snapshotBytes } from './footprint.ts';
export { engineInfo } from './info.ts';
export { checkBuildCacheFilters, pruneBuildCache } from './prune-build-cache.ts';
export { looseLoops } from './residue.ts';
export { verifyEngine } from './verify.ts';
export { type EngineFacts, engineVersion } from './version.ts';
