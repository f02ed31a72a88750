import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RunPaths } from '../engine/containers/index.ts';
import type { Settings } from './settings.ts';

/** Directories of running containers, made with the modes they need. */
export function runPaths(settings: Pick<Settings, 'dataRoot' | 'execRoot'>): RunPaths {
  const paths = {
    mounts: join(settings.dataRoot, 'mounts'),
    subpaths: join(settings.execRoot, 'subpaths'),
    containers: join(settings.dataRoot, 'containers'),
  };
  mkdirSync(settings.execRoot, { recursive: true, mode: 0o711 });
  for (const path of Object.values(paths)) mkdirSync(path, { recursive: true, mode: 0o711 });
  return paths;
}
