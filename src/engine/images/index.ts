export { bootstrapImage } from './bootstrap.ts';
export { applyChanges } from './changes.ts';
export { commitImage, type ImageCommit } from './commit.ts';
export { imageHistory } from './history.ts';
export { importImage } from './import.ts';
export { inspectImage } from './inspect.ts';
export {
  EXTRACT_PREFIX,
  inChain,
  type LayerToMake,
  type LayerUnpacker,
  makeLayer,
  type Taking,
} from './layers.ts';
export { listImages } from './list.ts';
export { type LoadDeps, loadImages } from './load.ts';
export { imageLookup } from './lookup.ts';
export { MadeLayers } from './made-layers.ts';
export { type ImagePlanDeps, planImagePrune, planImageRemoval } from './plan.ts';
export { progressBar, type Report, reportLines } from './progress.ts';
export { pruneImages } from './prune.ts';
export { layersToMake, recordOf } from './register.ts';
export { type RemoveDeps, removeImage } from './remove.ts';
export { saveImages } from './save.ts';
export {
  familiarName,
  type ImageLayer,
  type ImageName,
  type ImageRecord,
  type ImageStore,
  type KeptIndex,
  openImageStore,
} from './store.ts';
export { sweepContent, wholeBlocks } from './sweep.ts';
export { tagImage } from './tag.ts';
export { takeIn } from './take-in.ts';
export { targetName } from './target-name.ts';
export { unpackImage } from './unpack-image.ts';
