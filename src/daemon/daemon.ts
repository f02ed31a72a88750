import { rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Logger, makeFolder, UndoStack } from '../base/index.ts';
import {
  type RunDeps,
  recoverContainers,
  shipLeftLogs,
  shutdownContainers,
  startWithDaemon,
} from '../engine/containers/index.ts';
import { sweepContent } from '../engine/images/index.ts';
import { networksBackend } from '../engine/networks/index.ts';
import { type ApiServer, type Backends, createServer, type ListenTarget } from '../server/index.ts';
import { commitsBackend } from './commit-backend.ts';
import { containersBackend, execsBackend } from './container-backend.ts';
import { copiesBackend } from './copies-backend.ts';
import { CurrentSettings } from './current-settings.ts';
import { LateDistribution } from './distribution.ts';
import { buildEngine, type Engine, imageDeps } from './engine.ts';
import { listenTargets } from './host-listen.ts';
import { imagesBackend } from './image-backend.ts';
import { type DaemonRegistry, openDaemonRegistry } from './own-registry.ts';
import { ownExecRoot, ownNetworkNames, withRealRoots } from './ownership.ts';
import { engineFacts, wharfVersion } from './package-facts.ts';
import { removePidfile, writePidfile } from './pidfile.ts';
import { plansBackend } from './plan-backend.ts';
import { runDeps } from './run-deps.ts';
import type { Settings } from './settings.ts';
import { openStorage } from './storage.ts';
import { systemBackend, volumesBackend } from './system-backend.ts';
import { toolVersions } from './tools.ts';
import { traceTo } from './trace-file.ts';

/** Work on the main thread that can wait gives the first calls this long, in milliseconds. */
const IDLE_MS = 100;
/** Calls under way get this long when the daemon ends, in milliseconds. */
const CLOSE_GRACE_MS = 500;

/** A running daemon. */
export interface Daemon {
  /** Takes over the reloadable settings. */
  reload(settings: Settings): void;
  /** Ends it in order: no new calls, containers (unless live-restore), calls under way, network, storage. */
  stop(): Promise<void>;
}

interface StartOptions {
  log: Logger;
  /** Sockets inherited from systemd, from descriptor 3 on. */
  inheritedFds: number;
}

/**
 * Starts everything in order and answers when the API is served. A failure takes back what was started.
 * Errors: `conflict` when the data root or a socket has another owner, `invalid` settings, `unavailable` tools.
 */
export async function startDaemon(asked: Settings, options: StartOptions): Promise<Daemon> {
  const { log } = options;
  process.umask(0o022);
  const trace = asked.traceFile ? traceTo(asked.traceFile) : undefined;
  const targets = listenTargets(asked, options.inheritedFds, log);
  await using undo = new UndoStack(log);
  const settings = withRealRoots(asked);
  const current = new CurrentSettings(settings, log);
  const execRoot = ownExecRoot(settings.execRoot);
  undo.push('let go of the exec root', () => execRoot[Symbol.dispose]());
  const names = ownNetworkNames(settings.network.config);
  undo.push('let go of bridge and table', () => names[Symbol.dispose]());
  const storage = await openStorage(settings, log);
  undo.push('close the database', () => storage.database[Symbol.dispose]());
  const engine = buildEngine(current, storage, log);
  const run = runDeps(engine, current);
  await recover(engine, run);
  const registry = await openDaemonRegistry(settings, engine);
  undo.push('close the registry', () => registry.close());
  engine.holders.push((digest) => registry.needs(digest));
  const distribution = new LateDistribution(engine, current, registry.service);
  undo.push('close connections to registries', () => distribution[Symbol.dispose]());
  const api = backends(engine, run, current, distribution);
  const server = createServer({ backends: api, log, version: wharfVersion() });
  undo.push('close the server', () => server.close());
  await listen(server, targets);
  await registry.listen();
  writePidfile(settings.pidfile);
  undo.commit();
  log.info('ready', { hosts: settings.hosts, pid: process.pid, startMs: Math.round(performance.now()) });
  engine.events.publish({
    type: 'daemon',
    action: 'start',
    id: storage.engineId,
    attributes: { name: hostname() },
  });
  void afterStart(engine, run, current);
  return {
    reload: (next) => {
      current.reload(next);
      registry.service?.reload();
      if (!isDeepStrictEqual(next.registry, settings.registry))
        log.warn('the option "registry" has changed: it takes effect when the daemon starts again');
      engine.events.publish({
        type: 'daemon',
        action: 'reload',
        id: storage.engineId,
        attributes: { name: hostname() },
      });
    },
    stop: async () => {
      await stop(server, engine, run, current, targets, registry);
      names[Symbol.dispose]();
      execRoot[Symbol.dispose]();
      distribution[Symbol.dispose]();
      trace?.[Symbol.dispose]();
    },
  };
}

/** Networks first, since containers look for their sandboxes; both before the first call is taken. */
async function recover(engine: Engine, run: RunDeps): Promise<void> {
  const live = engine.store
    .all()
    .filter(({ state }) => state.status === 'running' || state.status === 'paused');
  await engine.networks.recover(new Set(live.map((record) => record.id)));
  const report = await recoverContainers(run);
  engine.log.info('recovered', {
    adopted: report.adopted.length,
    ended: report.ended.length,
    removed: report.removed.length,
    purged: report.purged.length,
  });
}

/** Work that need not hold up the first call. */
async function afterStart(engine: Engine, run: RunDeps, current: CurrentSettings): Promise<void> {
  try {
    shipLeftLogs(run);
    await startWithDaemon(run);
    await engine.clock.sleep(IDLE_MS);
    current.warmSeccomp(engine.host);
    await sweepContent(imageDeps(engine));
  } catch (error) {
    engine.log.error('work after the start failed', { error });
  }
}

function backends(
  engine: Engine,
  run: RunDeps,
  current: CurrentSettings,
  distribution: LateDistribution,
): Backends {
  const facts = engineFacts(() => toolVersions(engine.conmonPath, current.runtimes));
  return {
    containers: containersBackend(engine, run, current),
    commits: commitsBackend(engine, run, current),
    execs: execsBackend(engine, run),
    images: imagesBackend(engine, distribution),
    volumes: volumesBackend(engine),
    networks: networksBackend({ ...run, networks: engine.networks }),
    copies: copiesBackend(engine, run, current),
    plans: plansBackend(engine),
    system: systemBackend(engine, run, current, facts, distribution),
  };
}

async function listen(server: ApiServer, targets: ListenTarget[]): Promise<void> {
  for (const target of targets) {
    if (target.kind === 'unix') makeFolder(dirname(target.path), 0o755);
    await server.listen(target);
  }
}

async function stop(
  server: ApiServer,
  engine: Engine,
  run: RunDeps,
  current: CurrentSettings,
  targets: ListenTarget[],
  registry: DaemonRegistry,
): Promise<void> {
  const { liveRestore, shutdownTimeout, pidfile } = current.settings;
  const closed = server.close(CLOSE_GRACE_MS);
  engine.logs.shipping.hurry();
  await shutdownContainers(run, { keepRunning: liveRestore, timeoutSeconds: shutdownTimeout });
  engine.events.publish({
    type: 'daemon',
    action: 'shutdown',
    id: engine.storage.engineId,
    attributes: { name: hostname() },
  });
  await closed;
  await engine.logs.shipping.close();
  await registry.close();
  await engine.networks.close({ removeKernelObjects: engine.live.running().length === 0 });
  await engine.storage.snapshots.settled();
  engine.storage.database[Symbol.dispose]();
  for (const target of targets) if (target.kind === 'unix') rmSync(target.path, { force: true });
  removePidfile(pidfile);
  engine.log.info('stopped', { containersLeftRunning: engine.live.running().length });
}
