export { openVolumeStore } from './open.ts';
export type { PluginFolders } from './plugin/index.ts';
export { ANONYMOUS_LABEL } from './store.ts';
export type * from './types.ts';
