import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { EventMessage, Filters } from '../api/index.ts';
import { listContainers, type RunDeps, usedVolumes, volumeUsers } from '../engine/containers/index.ts';
import { type EventBus, filterEvents } from '../engine/events/index.ts';
import { listImages } from '../engine/images/index.ts';
import { networkSettings } from '../engine/networks/index.ts';
import {
  diskUsage,
  type EngineFacts,
  engineInfo,
  engineVersion,
  looseLoops,
  pruneBuildCache,
  verifyEngine,
} from '../engine/system/index.ts';
import {
  createVolume,
  inspectVolume,
  inspectVolumeUsage,
  listVolumes,
  pruneVolumes,
  removeVolume,
  type VolumeDeps,
} from '../engine/volumes/index.ts';
import type { SystemBackend, VolumesBackend } from '../server/index.ts';
import { cgroupPaths, detectCgroups, mountInfo, statfs } from '../sys/index.ts';
import { type CurrentSettings, initBinary } from './current-settings.ts';
import type { LateDistribution } from './distribution.ts';
import { type Engine, imageDeps } from './engine.ts';

const NO_FILTERS: ReadonlyMap<string, readonly string[]> = new Map();

/** System operations bound to the engine. */
export function systemBackend(
  engine: Engine,
  run: RunDeps,
  current: CurrentSettings,
  facts: EngineFacts,
  distribution: LateDistribution,
): SystemBackend {
  const { storage, store, clock } = engine;
  const watched = new WatchedEvents(engine.events);
  return {
    ping: () => ({
      apiVersion: facts.apiVersion,
      osType: 'linux',
      builderVersion: '2',
      experimental: false,
      swarm: 'inactive',
    }),
    version: () => engineVersion(facts),
    info: () =>
      engineInfo({
        id: storage.engineId,
        facts,
        host: engine.host,
        containers: () => store.all(),
        imageCount: () => storage.images.all().length,
        eventListeners: () => watched.listeners,
        networkWarnings: () => engine.networks.warnings(),
        logReports: () => engine.logs.shipping.reports(),
        logLosses: () => engine.logs.losses(),
        backingFilesystem: filesystemName(current.settings.dataRoot),
        settings: () => infoSettings(engine, current),
        clock,
      }),
    events: (input, signal) => watched.matching(input, signal),
    diskUsage: (types) => diskUsage(usageDeps(engine, run), types),
    pruneBuildCache: (filters) => pruneBuildCache(engine, filters),
    auth: async (credentials, signal) => {
      const { operations, deps } = await distribution.get();
      return operations.checkCredentials(deps, credentials, signal);
    },
    verify: () => verifyEngine(verifyDeps(engine, current)),
  };
}

/** Events for clients, filtered, with a count of who listens. */
class WatchedEvents {
  listeners = 0;
  private readonly bus: EventBus;

  constructor(bus: EventBus) {
    this.bus = bus;
  }

  async *matching(
    input: { since?: bigint; until?: bigint; filters: Filters },
    signal: AbortSignal,
  ): AsyncIterable<EventMessage> {
    this.listeners++;
    try {
      for await (const event of this.bus.subscribe(input, signal)) {
        if (filterEvents(event, input.filters)) yield event;
      }
    } finally {
      this.listeners--;
    }
  }
}

/** Volume operations bound to the engine. */
export function volumesBackend(engine: Engine): VolumesBackend {
  const deps = volumeDeps(engine);
  return {
    list: (filters) => listVolumes(deps, filters),
    create: (options) => createVolume(deps, options),
    inspect: (name) => inspectVolume(deps, name),
    inspectUsage: (name) => inspectVolumeUsage(deps, name),
    remove: (name, options) => removeVolume(deps, name, options),
    prune: (filters) => pruneVolumes(deps, filters),
  };
}

function volumeDeps({ storage, events, store, log }: Engine): VolumeDeps {
  return {
    volumes: storage.volumes,
    events,
    volumeUsers: (name) => volumeUsers(store, name),
    usedVolumes: () => usedVolumes(store),
    log,
  };
}

function infoSettings(engine: Engine, current: CurrentSettings) {
  const { settings } = current;
  const runtimes = [...current.runtimes].map(([name, { path, args }]) => {
    return [name, args.length > 0 ? { path, runtimeArgs: args } : { path }] as const;
  });
  return {
    dataRoot: settings.dataRoot,
    volumeDrivers: engine.storage.volumes.drivers(),
    labels: settings.labels,
    debug: settings.debug,
    liveRestore: settings.liveRestore,
    logDriver: settings.logDriver,
    logOpts: settings.logOpts,
    defaultRuntime: settings.defaultRuntime,
    runtimes: Object.fromEntries(runtimes),
    seccomp: current.seccompName(),
    pools: settings.network.config.defaultAddressPools,
    initBinary: initBinary(settings, engine.host),
    registries: settings.distribution,
  };
}

/** Names of filesystems as `info` shows them, by statfs(2) magic. */
const FILESYSTEMS: Readonly<Record<number, string>> = {
  61267: 'extfs',
  1481003842: 'xfs',
  2435016766: 'btrfs',
  16914836: 'tmpfs',
  2035054128: 'overlayfs',
};

function filesystemName(path: string): string {
  return FILESYSTEMS[Number(statfs(path).type)] ?? 'unknown';
}

function usageDeps(engine: Engine, run: RunDeps) {
  const { storage, store, networks } = engine;
  const list = {
    ...run,
    images: engine.lookup,
    networks,
    networkSettings,
    snapshotter: storage.snapshots,
  };
  const users = (id: string) => store.all().filter((record) => record.imageId === id);
  return {
    images: storage.images,
    content: storage.content,
    snapshots: storage.snapshots,
    ...engine.sizes,
    isContainer: (id: string) => store.get(id) !== undefined,
    imageSummaries: () =>
      listImages(
        { ...imageDeps(engine), containersOf: (id) => users(id).map((record) => record.id) },
        { all: true, digests: false, sharedSize: true, manifests: false, filters: NO_FILTERS },
      ),
    containers: () => listContainers(list, { all: true, limit: 0, size: false, filters: NO_FILTERS }),
    volumes: async () => (await listVolumes(volumeDeps(engine), NO_FILTERS)).Volumes,
    volumeSize: async (name: string) => (await storage.volumes.usage(name)).bytes,
    volumeUsers: (name: string) => volumeUsers(store, name),
  };
}

function verifyDeps(engine: Engine, current: CurrentSettings): Parameters<typeof verifyEngine>[0] {
  const { storage, networks, tasks, store, paths } = engine;
  const hierarchy = detectCgroups();
  const hasCgroup = (id: string, parent: string) =>
    [...cgroupPaths(hierarchy, join(parent, id)).values()].some((path) => existsSync(path));
  return {
    database: storage.database,
    content: storage.content,
    snapshots: storage.snapshots,
    networks,
    volumes: storage.volumes,
    tasks,
    containers: () => store.all(),
    images: () => storage.images.all(),
    imageNames: () => storage.images.names(),
    imageIndexes: () => storage.images.indexes(),
    mountPoints: () => mountInfo().map((entry) => entry.mountPoint),
    alive: (pid) => existsSync(`/proc/${pid}`),
    hasCgroup: (record) =>
      hasCgroup(record.id, record.hostConfig.CgroupParent || current.settings.cgroupParent),
    looseLoops: () =>
      looseLoops(
        current.settings.dataRoot,
        mountInfo().map(({ source }) => source),
      ),
    paths: {
      mounts: paths.mounts,
      subpaths: paths.subpaths,
      volumes: join(current.settings.dataRoot, 'volumes'),
    },
  };
}
