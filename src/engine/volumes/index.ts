export { copyUp } from './copy-up.ts';
export {
  createVolume,
  inspectVolume,
  listVolumes,
  pruneVolumes,
  publishVolumeEvent,
  removeVolume,
  type VolumeDeps,
  volumeDocument,
} from './operations.ts';
export { openSubpath } from './subpath.ts';
