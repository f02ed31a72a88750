import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ContainerConfig, HostConfig } from '../../api/index.ts';
import { silentLog, systemClock, ZERO_TIME } from '../../base/index.ts';
import { openMemoryDatabase } from '../../meta/index.ts';
import type { Digest, ExecutionConfig } from '../../oci/types.ts';
import { openOverlaySnapshotter } from '../../snapshot/index.ts';
import { mountInfo, umount } from '../../sys/index.ts';
import { openVolumeStore } from '../../volume/index.ts';
import { createEventBus, type EngineEvent, type EventBus } from '../events/index.ts';
import { openContainerStore } from './container-store.ts';
import type { CreateDeps, HostAbilities, ResolvedImage } from './deps.ts';
import { FakeStack } from './fake-stack.ts';
import type { ContainerRecord } from './record.ts';

/** A host of two CPUs that can do everything, for tests. */
export function ableHost(): HostAbilities {
  return {
    cpus: 2,
    thermalCpus: [],
    cgroup: {
      version: 1,
      memoryLimit: true,
      swapLimit: true,
      memoryReservation: true,
      memorySwappiness: true,
      oomKillDisable: true,
      kernelMemoryTcp: true,
      cpuShares: true,
      cpuCfs: true,
      cpuRealtime: true,
      cpuset: true,
      cpusetCpus: '0-1',
      cpusetMems: '0',
      blkioWeight: true,
      blkioWeightDevice: true,
      blkioThrottle: true,
      pidsLimit: true,
      devices: true,
    },
  };
}

const DIFF = `sha256:${'1'.repeat(64)}` as Digest;
export const CHAIN = `sha256:${'c'.repeat(64)}`;

/** The image `busybox:latest` of the tests. */
export function testImage(config: ExecutionConfig = { Cmd: ['sh'] }): ResolvedImage {
  return {
    imageId: `sha256:${'a'.repeat(64)}`,
    chainId: CHAIN,
    platform: { os: 'linux', architecture: 'amd64' },
    config: { os: 'linux', architecture: 'amd64', config, rootfs: { type: 'layers', diff_ids: [DIFF] } },
  };
}

export interface Fixture extends AsyncDisposable {
  deps: CreateDeps & { networks: FakeStack };
  events: EngineEvent[];
  root: string;
  image: ResolvedImage;
}

/** Everything that creating needs, real below a temporary directory, with one image whose layer `files` fills. */
export async function openFixture(
  options: { image?: ExecutionConfig; files?: (directory: string) => void } = {},
): Promise<Fixture> {
  const root = mkdtempSync(join(tmpdir(), 'wharf-create-'));
  const database = openMemoryDatabase();
  const snapshotter = openOverlaySnapshotter({ root: join(root, 'snapshots'), database, log: silentLog });
  const image = testImage(options.image);
  await snapshotter.prepare('layer', undefined);
  options.files?.(snapshotter.directory('layer'));
  await snapshotter.commit(CHAIN, 'layer');
  const events: EngineEvent[] = [];
  const bus = createEventBus(systemClock);
  const recording: EventBus = {
    publish(event) {
      events.push(event);
      bus.publish(event);
    },
    subscribe: (range, signal) => bus.subscribe(range, signal),
  };
  const deps: Fixture['deps'] = {
    store: openContainerStore(database),
    images: {
      resolve: (ref) => (['busybox', 'busybox:latest', image.imageId].includes(ref) ? image : undefined),
    },
    snapshotter,
    networks: new FakeStack(),
    volumes: openVolumeStore({ root: join(root, 'volumes'), database, log: silentLog }),
    events: recording,
    clock: systemClock,
    log: silentLog,
    host: ableHost(),
    defaults: { runtimes: new Set(['crun', 'runc']), runtime: 'crun', logDriver: 'json-file', logOpts: {} },
    dataRoot: root,
  };
  return {
    deps,
    events,
    root,
    image,
    async [Symbol.asyncDispose]() {
      for (const { mountPoint } of mountInfo()) {
        if (mountPoint.startsWith(`${root}/`)) umount(mountPoint, { detach: true });
      }
      await snapshotter.settled();
      database[Symbol.dispose]();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Writes a file with its parents, with that mode. */
export function putFile(root: string, path: string, text: string, mode = 0o644): void {
  const target = join(root, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
  chmodSync(target, mode);
}

/** Names below a directory, sorted; empty when it is missing. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

/** A create request for the fixture's image. */
export function request(config: ContainerConfig = {}, hostConfig: HostConfig = {}) {
  return { config: { Image: 'busybox', ...config }, hostConfig, networkingConfig: {} };
}

/** A record as a store has it, for tests that need no files. */
export function testRecord(fields: Partial<ContainerRecord> = {}): ContainerRecord {
  return {
    id: 'a'.repeat(64),
    name: 'test_one',
    created: '2026-01-01T00:00:00Z',
    imageId: `sha256:${'a'.repeat(64)}`,
    imageRef: 'busybox',
    chainId: CHAIN,
    config: { Image: 'busybox', Labels: {}, Hostname: 'aaaaaaaaaaaa' },
    hostConfig: { NetworkMode: 'bridge' },
    networkingConfig: { EndpointsConfig: { bridge: {} } },
    path: 'sh',
    args: [],
    platform: 'linux',
    mounts: [],
    logPath: '',
    runtime: 'crun',
    state: {
      status: 'created',
      pid: 0,
      exitCode: 0,
      error: '',
      oomKilled: false,
      startedAt: ZERO_TIME,
      finishedAt: ZERO_TIME,
      restartCount: 0,
      manuallyStopped: false,
      hasStarted: false,
    },
    ...fields,
  };
}
