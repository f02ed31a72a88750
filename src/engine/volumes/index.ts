export { copyUp, finishCopyUp, hasFiles } from './copy-up.ts';
export {
  checkRemovable,
  createVolume,
  inspectVolume,
  inspectVolumeUsage,
  listVolumes,
  publishVolumeEvent,
  removeVolume,
  type VolumeDeps,
  volumeDocument,
} from './operations.ts';
export { prunableVolumes, pruneVolumes } from './prune.ts';
export { openSubpath } from './subpath.ts';
