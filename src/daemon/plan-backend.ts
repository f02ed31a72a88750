import { type PlansDeps, planPrune, planRemoval } from '../engine/plans/index.ts';
import type { PlansBackend } from '../server/index.ts';
import { type Engine, imageDeps } from './engine.ts';
import { usersOf } from './image-backend.ts';

/** Plans bound to the engine. */
export function plansBackend(engine: Engine): PlansBackend {
  const { store, live, clock, networks, sizes, storage } = engine;
  const deps: PlansDeps = {
    store,
    live,
    clock,
    networks,
    volumes: storage.volumes,
    images: { ...imageDeps(engine), layerBytes: sizes.layerSize },
    containersOf: (id) => usersOf(store, id),
    containerBytes: sizes.containerSize,
  };
  return {
    prune: (kind, filters, options) => planPrune(deps, kind, filters, options),
    remove: (kind, refs, options) => planRemoval(deps, kind, refs, options),
  };
}
