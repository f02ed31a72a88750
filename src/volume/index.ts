export { openVolumeStore } from './open.ts';
export { ANONYMOUS_LABEL } from './store.ts';
export type * from './types.ts';
