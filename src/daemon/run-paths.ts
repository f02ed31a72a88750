import { join } from 'node:path';
import { makeFolder } from '../base/index.ts';
import type { RunPaths } from '../engine/containers/index.ts';
import type { Settings } from './settings.ts';

/** Directories of running containers, made with the modes they need. */
export function runPaths(settings: Pick<Settings, 'dataRoot' | 'execRoot'>): RunPaths {
  const paths = {
    mounts: join(settings.dataRoot, 'mounts'),
    subpaths: join(settings.execRoot, 'subpaths'),
    containers: join(settings.dataRoot, 'containers'),
  };
  makeFolder(settings.execRoot, 0o711);
  for (const path of Object.values(paths)) makeFolder(path, 0o711);
  return paths;
}
