export type { SnapshotterOptions } from './directory-snapshotter.ts';
export { openOverlaySnapshotter } from './overlay.ts';
export type * from './types.ts';
