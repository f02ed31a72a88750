import {
  attachContainer,
  containerChanges,
  containerLogs,
  containerStats,
  createContainer,
  inspectContainer,
  killContainer,
  listContainers,
  pauseContainer,
  pruneContainers,
  type RunDeps,
  removeContainer,
  renameContainer,
  resizeContainer,
  restartContainer,
  startContainer,
  stopContainer,
  topContainer,
  unpauseContainer,
  updateContainer,
  waitContainer,
} from '../engine/containers/index.ts';
import { createExec, inspectExec, resizeExec, startExec } from '../engine/execs/index.ts';
import { unpackImage } from '../engine/images/index.ts';
import { networkSettings } from '../engine/networks/index.ts';
import { checkHostConfig, resourcesFromHostConfig } from '../runtime/index.ts';
import type { ContainersBackend, ExecsBackend } from '../server/index.ts';
import type { CurrentSettings } from './current-settings.ts';
import { type Engine, imageDeps } from './engine.ts';

/** Container operations bound to the engine. */
export function containersBackend(engine: Engine, run: RunDeps, current: CurrentSettings): ContainersBackend {
  const { host, storage, lookup, execs, sampler } = engine;
  const snapshotter = storage.snapshots;
  const reading = { ...run, logs: engine.logs };
  const documents = { networkSettings, snapshotter };
  const create = () => ({
    ...run,
    images: { ...lookup, unpack: (imageId: string) => unpackImage(imageDeps(engine), imageId) },
    volumes: storage.volumes,
    snapshotter,
    host,
    dataRoot: current.settings.dataRoot,
    defaults: containerDefaults(current),
    check: (config: Parameters<typeof checkHostConfig>[0], asked: Parameters<typeof checkHostConfig>[1]) =>
      checkHostConfig(config, asked, host),
  });
  const list = { ...run, images: lookup, networks: engine.networks, ...documents };
  const inspect = {
    ...run,
    networks: engine.networks,
    ...documents,
    dataRoot: current.settings.dataRoot,
    execIds: (id: string) => execs.idsOf(id) ?? [],
  };
  const update = {
    ...run,
    host,
    resources: (limits: Parameters<typeof resourcesFromHostConfig>[0]) =>
      resourcesFromHostConfig(limits, host),
  };
  const remove = (ref: string, options: { volumes: boolean; force: boolean; link: boolean }) =>
    removeContainer(run, ref, options);
  return {
    create: (input, signal) => {
      // Most are started at once: what the kernel needs for that begins here.
      engine.tasks.anticipate?.();
      return createContainer(create(), input, signal);
    },
    list: (input) => listContainers(list, input),
    inspect: (ref, options) => inspectContainer(inspect, ref, options),
    start: (ref, signal) => startContainer(run, ref, signal),
    stop: (ref, options) => stopContainer(run, ref, options),
    restart: (ref, options, signal) => restartContainer(run, ref, options, signal),
    kill: (ref, signalName) => killContainer(run, ref, signalName),
    pause: (ref) => pauseContainer(run, ref),
    unpause: (ref) => unpauseContainer(run, ref),
    wait: (ref, condition, signal) => waitContainer(run, ref, condition, signal),
    remove,
    rename: (ref, name) => renameContainer(run, ref, name),
    update: (ref, change) => updateContainer(update, ref, change),
    resize: (ref, size) => resizeContainer(run, ref, size),
    attach: (ref, input, signal) => attachContainer(reading, ref, input, signal),
    logs: (ref, input, signal) => containerLogs(reading, ref, input, signal),
    top: (ref, psArgs) => topContainer(run, ref, psArgs),
    stats: (ref, options, signal) => containerStats({ store: run.store, sampler }, ref, options, signal),
    changes: (ref) => containerChanges({ store: run.store, snapshotter }, ref),
    prune: (filters) =>
      pruneContainers(
        {
          ...run,
          bytesOf: ({ id }) => engine.sizes.containerSize(id),
          remove: ({ id }) => remove(id, { volumes: false, force: false, link: false }),
          settled: () => Promise.all([engine.live.settled(), snapshotter.settled()]).then(() => undefined),
        },
        filters,
      ),
  };
}

/** Exec operations bound to the engine. */
export function execsBackend(engine: Engine, run: RunDeps): ExecsBackend {
  const deps = { ...run, execs: engine.execs };
  return {
    create: (ref, input) => {
      engine.tasks.anticipate?.();
      return createExec(deps, ref, input);
    },
    start: (id, input, signal) => startExec(deps, id, input, signal),
    inspect: (id) => inspectExec(deps, id),
    resize: (id, size) => resizeExec(deps, id, size),
  };
}

function containerDefaults(current: CurrentSettings) {
  const { settings, runtimes } = current;
  return {
    runtimes: new Set(runtimes.keys()),
    runtime: settings.defaultRuntime,
    logDriver: settings.logDriver,
    logOpts: settings.logOpts,
    shmSize: settings.defaultShmSize,
    ipcMode: settings.defaultIpcMode,
    ...(settings.defaultCgroupns ? { cgroupnsMode: settings.defaultCgroupns } : {}),
  };
}
