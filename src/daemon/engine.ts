import { unpackLayer } from '../archive/index.ts';
import { KeyedLock, type Logger, systemClock } from '../base/index.ts';
import { Leases } from '../content/index.ts';
import {
  hostMountOps,
  LiveContainers,
  openContainerStore,
  type RunPaths,
  StatsSampler,
} from '../engine/containers/index.ts';
import { createEventBus } from '../engine/events/index.ts';
import { ExecRegistry } from '../engine/execs/index.ts';
import { imageLookup, type LoadDeps, MadeLayers } from '../engine/images/index.ts';
import { containerBytes, layerSizes, snapshotBytes } from '../engine/system/index.ts';
import { openLogReader, openLogRotator, openLogShipping } from '../logs/index.ts';
import { openNetworkStack } from '../network/index.ts';
import type { Digest } from '../oci/index.ts';
import { type HostFacts, hostFacts, openTaskService } from '../runtime/index.ts';
import type { CurrentSettings } from './current-settings.ts';
import { runPaths } from './run-paths.ts';
import type { Storage } from './storage.ts';
import { findConmon } from './tools.ts';

/** The engine's parts, built once; the backends bind operations to them. */
export type Engine = ReturnType<typeof buildEngine>;

/** Builds the parts on opened storage. Nothing is recovered or started yet. */
export function buildEngine(current: CurrentSettings, storage: Storage, log: Logger) {
  const { settings } = current;
  const clock = systemClock;
  const host: HostFacts = hostFacts();
  const conmonPath = findConmon(settings);
  const networks = openNetworkStack({
    database: storage.database,
    execRoot: settings.execRoot,
    config: settings.network.config,
    log,
  });
  const live = new LiveContainers();
  const paths = runPaths(settings);
  return {
    storage,
    log,
    clock,
    host,
    conmonPath,
    networks,
    live,
    store: openContainerStore(storage.database),
    events: createEventBus(clock),
    mounts: hostMountOps(),
    paths,
    sizes: sizesOnDisk(storage, paths),
    logs: logging(log),
    tasks: openTaskService({ execRoot: settings.execRoot, conmonPath, log }),
    execs: new ExecRegistry(),
    lookup: imageLookup(storage),
    leases: new Leases(),
    layerLocks: new KeyedLock(),
    madeLayers: new MadeLayers(storage.images),
    sampler: new StatsSampler({ live, clock, networks }),
    /** Others than images who need blobs of the content store. */
    holders: [] as ((digest: Digest) => boolean)[],
  };
}

/** Bytes on disk of what the engine keeps. */
function sizesOnDisk({ snapshots }: Storage, paths: RunPaths) {
  const activeSize = (key: string) => snapshotBytes({ snapshots }, key);
  return {
    activeSize,
    layerSize: layerSizes(snapshots, activeSize),
    containerSize: (id: string) => containerBytes({ snapshots, paths }, id),
  };
}

/** A log is removed when its server has its last lines, or does not want them. */
function logging(log: Logger) {
  const [reader, rotator, shipping] = [openLogReader(), openLogRotator(log), openLogShipping(log)];
  return {
    read: reader.read,
    encode: reader.encode,
    remove: async (logPath: string) => {
      await shipping.release(logPath);
      await reader.remove(logPath);
    },
    watch: rotator.watch,
    losses: rotator.losses,
    shipping,
    ship: shipping.ship.bind(shipping),
    finish: shipping.finish.bind(shipping),
  };
}

/** What the operations on images use. */
export function imageDeps(engine: Engine): LoadDeps {
  const { storage, events, clock, log, leases, layerLocks: locks, madeLayers: made } = engine;
  return {
    images: storage.images,
    content: storage.content,
    snapshots: storage.snapshots,
    temporary: storage.temporary,
    unpack: unpackLayer,
    made,
    locks,
    events,
    clock,
    leases,
    others: engine.holders,
    log,
  };
}
