export { type CopyInOptions, copyIn } from './copy-in.ts';
export {
  copyInFromHost,
  copyOutToHost,
  type HostCopyStep,
  type HostSource,
  type HostTarget,
} from './copy-in-place.ts';
export { type CopyOut, copyOut } from './copy-out.ts';
export { type PathStat, statContainerPath } from './path-stat.ts';
export { StoppedRoots } from './stopped-roots.ts';
export type { CopyDeps } from './types.ts';
