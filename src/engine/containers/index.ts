export { contains } from './check-networking.ts';
export { type CommitDeps, commitContainer } from './commit.ts';
export { type AttachDeps, attach, connectContainer, detach } from './connect-network.ts';
export { publishNetworkEvent } from './container-events.ts';
export { containerDirectory, type NetworkFilePaths, networkFilePaths } from './container-paths.ts';
export { openContainerStore } from './container-store.ts';
export { type CreateInput, createContainer } from './create.ts';
export type { ContainerDefaults, CreateDeps, HostAbilities, ImageLookup, ResolvedImage } from './deps.ts';
export { disconnectContainer } from './disconnect-network.ts';
export { wishes } from './endpoints.ts';
export { type ExportDeps, exportContainer } from './export.ts';
export { containerOfSnapshot, mountedImages } from './image-mounts.ts';
export { imageUsers, usedVolumes, volumeUsers } from './in-use.ts';
export {
  ensureInitLayer,
  HALF_MADE_INIT,
  initLayerKey,
  OPENING_PLACE,
  openMounted,
  removeInitLayer,
} from './init-layer.ts';
export { type InspectDeps, inspectContainer } from './inspect.ts';
export * from './lifecycle.ts';
export { type ListDeps, listContainers, type NetworkSettingsOf } from './list.ts';
export { shipLeftLogs } from './log-options.ts';
export { makeBindSource } from './make-mounts.ts';
export {
  type NetworkFileDeps,
  updateLinkedFiles,
  updateNetworkFiles,
  writeNetworkFiles,
} from './network-files.ts';
export { type PruneDeps, prunableContainers, pruneContainers } from './prune.ts';
export type * from './record.ts';
export { checkContainerRemovable } from './remove.ts';
export { type RenameDeps, renameContainer } from './rename.ts';
export { containerSizes } from './sizes.ts';
export { timeNanos } from './status-text.ts';
export type * from './store.ts';
export { volumesOfItsOwn } from './teardown.ts';
export { type UpdateDeps, updateContainer } from './update.ts';
