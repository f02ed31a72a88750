import type { RunDeps } from '../engine/containers/index.ts';
import {
  type CopyDeps,
  copyIn,
  copyInFromHost,
  copyOut,
  copyOutToHost,
  StoppedRoots,
  statContainerPath,
} from '../engine/copy/index.ts';
import { resolveUser } from '../runtime/index.ts';
import type { CopiesBackend } from '../server/index.ts';
import type { CurrentSettings } from './current-settings.ts';
import type { Engine } from './engine.ts';

/** Copies bound to the engine. */
export function copiesBackend(engine: Engine, run: RunDeps, current: CurrentSettings): CopiesBackend {
  const deps: CopyDeps = {
    ...run,
    snapshotter: engine.storage.snapshots,
    dataRoot: current.settings.dataRoot,
    roots: new StoppedRoots(),
    resolveUser: (root, spec) => resolveUser(root, spec),
  };
  return {
    stat: (ref, path) => statContainerPath(deps, ref, path),
    get: (ref, path, signal) => copyOut(deps, ref, path, signal),
    put: (ref, path, source, options, signal) => copyIn(deps, ref, path, source, options, signal),
    putFromHost: (ref, path, source, options, signal) =>
      copyInFromHost(deps, ref, path, source, options, signal),
    getToHost: (ref, path, target, signal) => copyOutToHost(deps, ref, path, target, signal),
  };
}
