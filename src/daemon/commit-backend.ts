import { commitContainer, exportContainer, type RunDeps } from '../engine/containers/index.ts';
import { commitImage } from '../engine/images/index.ts';
import type { CommitsBackend } from '../server/index.ts';
import type { CurrentSettings } from './current-settings.ts';
import { type Engine, imageDeps } from './engine.ts';
import { wharfVersion } from './package-facts.ts';

/** Commits and exports bound to the engine. */
export function commitsBackend(engine: Engine, run: RunDeps, current: CurrentSettings): CommitsBackend {
  const { dataRoot } = current.settings;
  const { snapshots: snapshotter } = engine.storage;
  const images = imageDeps(engine);
  const commit: Parameters<typeof commitContainer>[0] = {
    ...run,
    snapshotter,
    version: wharfVersion(),
    commitImage: (parts, signal) => commitImage(images, parts, signal),
  };
  const exporting = { ...run, snapshotter, dataRoot };
  return {
    commit: (input, signal) => commitContainer(commit, input, signal),
    export: (ref, signal) => exportContainer(exporting, ref, signal),
  };
}
