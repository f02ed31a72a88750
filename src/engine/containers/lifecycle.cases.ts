import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventMessage } from '../../api/index.ts';
import {
  type Clock,
  KeyedLock,
  newId,
  silentLog,
  systemClock,
  WharfError,
  ZERO_TIME,
} from '../../base/index.ts';
import type { ShippedLog } from '../../logs/index.ts';
import type { LogFormat, LogQuery, LogRecord, RotationPolicy } from '../../logs/types.ts';
import type { SandboxRecord } from '../../network/types.ts';
import type { HostFacts } from '../../runtime/spec-input.ts';
import { createEventBus } from '../events/index.ts';
import { FakeStack } from './fake-stack.ts';
import { FakeTasks } from './fake-tasks.ts';
import type { RunDeps } from './lifecycle-deps.ts';
import { LiveContainers } from './live.ts';
import type { ContainerRecord } from './record.ts';
import type { ContainerStore } from './store.ts';

/** A store in memory that counts its durable writes. */
export class MemoryStore implements ContainerStore {
  readonly records = new Map<string, ContainerRecord>();
  saves = 0;
  private readonly locks = new KeyedLock();

  resolve(ref: string): ContainerRecord {
    const name = ref.replace(/^\//, '');
    const found = this.records.get(ref) ?? [...this.records.values()].find((one) => one.name === name);
    if (!found) throw new WharfError('not-found', `No such container: ${ref}`);
    return found;
  }

  get(id: string): ContainerRecord | undefined {
    return this.records.get(id);
  }

  all(): ContainerRecord[] {
    return [...this.records.values()];
  }

  withLock<T>(ref: string, work: (record: ContainerRecord) => Promise<T>): Promise<T> {
    const { id } = this.resolve(ref);
    return this.locks.with(id, () => work(this.resolve(id)));
  }

  insert(record: ContainerRecord): void {
    this.records.set(record.id, record);
  }

  save(): void {
    this.saves++;
  }

  rename(record: ContainerRecord, name: string): void {
    record.name = name;
  }

  delete(id: string): void {
    this.records.delete(id);
  }
}

/** What the world outside of the engine looks like to a lifecycle test. */
export class World implements AsyncDisposable {
  readonly root = mkdtempSync(join(tmpdir(), 'wharf-lifecycle-'));
  readonly store = new MemoryStore();
  readonly tasks = new FakeTasks();
  readonly live = new LiveContainers();
  readonly clock: Clock = systemClock;
  readonly events = createEventBus(systemClock);
  readonly seen: EventMessage[] = [];
  readonly mounted = new Set<string>();
  readonly acquired = new Set<string>();
  readonly removedVolumes: string[] = [];
  readonly snapshots = new Set<string>();
  /** Containers whose network files were brought in step, by name. */
  readonly updated: string[] = [];
  readonly sandboxes = new Map<string, SandboxRecord>();
  readonly stack = new FakeStack(this.sandboxes);
  readonly log: LogRecord[] = [];
  /** Logs that are kept below a size at the moment. */
  readonly boundedLogs = new Map<string, RotationPolicy>();
  /** Logs that are sent to servers, and those whose end is known. */
  readonly shippedLogs: ShippedLog[] = [];
  readonly finishedLogs: string[] = [];
  deps: RunDeps;
  private readonly ended = new AbortController();

  constructor() {
    for (const name of ['mounts', 'subpaths', 'containers']) mkdirSync(join(this.root, name));
    this.tasks.now = () => this.clock.nowNanos();
    this.deps = makeDeps(this);
    void this.watch();
  }

  /** `action` of each container event so far, others as `type action`. */
  async actions(): Promise<string[]> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.seen.map((one) =>
      one.Type === 'container' ? (one.Action ?? '') : `${one.Type} ${one.Action}`,
    );
  }

  /** Adds a container; `change` is laid over its defaults. */
  add(change: Partial<ContainerRecord> = {}): ContainerRecord {
    const id = newId();
    const record: ContainerRecord = { ...blankRecord(id), ...change };
    this.store.insert(record);
    this.snapshots.add(id);
    return record;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.live.shuttingDown = true;
    for (const entry of this.live.all()) {
      entry.health?.stop();
      entry.cancelRestart();
    }
    await this.live.settled();
    this.ended.abort();
    rmSync(this.root, { recursive: true, force: true });
  }

  private async watch(): Promise<void> {
    for await (const event of this.events.subscribe({}, this.ended.signal)) this.seen.push(event);
  }
}

function blankRecord(id: string): ContainerRecord {
  return {
    id,
    name: `c-${id.slice(0, 6)}`,
    created: '2026-01-01T00:00:00Z',
    imageId: 'sha256:1',
    imageRef: 'busybox',
    chainId: '',
    config: { Image: 'busybox', Labels: { tier: 'front' } },
    hostConfig: { NetworkMode: 'default' },
    networkingConfig: { EndpointsConfig: { bridge: {} } },
    path: 'true',
    args: [],
    platform: 'linux',
    mounts: [],
    logPath: '/nowhere/log',
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
  };
}

function makeDeps(world: World): RunDeps {
  const { root } = world;
  return {
    store: world.store,
    live: world.live,
    events: world.events,
    clock: world.clock,
    log: silentLog,
    tasks: world.tasks,
    networks: world.stack,
    volumes: fakeVolumes(world),
    mounts: {
      mount: (_spec, target) => void world.mounted.add(target),
      unmount: (target) => void world.mounted.delete(target),
      unmountLater: async (target) => void world.mounted.delete(target),
      mountsBelow: (directory) => [...world.mounted].filter((one) => one.startsWith(directory)),
      bindBeneath: (_root, _path, target) => void world.mounted.add(target),
      restrictions: () => [],
    },
    paths: {
      mounts: join(root, 'mounts'),
      subpaths: join(root, 'subpaths'),
      containers: join(root, 'containers'),
    },
    snapshotter: {
      mount: () => ({ type: 'overlay', source: 'overlay', options: [], flags: [] }),
      view: () => ({ type: 'overlay', source: 'overlay', options: [], flags: ['ro'] }),
      remove: async (key) => void world.snapshots.delete(key),
      stat: (key) => (world.snapshots.has(key) ? { key, kind: 'active', parent: undefined } : undefined),
      list: () => [...world.snapshots].map((key) => ({ key, kind: 'active', parent: undefined })),
    },
    logs: {
      remove: async () => undefined,
      ship: (shipped) => {
        world.shippedLogs.push(shipped);
        return undefined;
      },
      finish: (logPath) => void world.finishedLogs.push(logPath),
      watch: (path, policy) => {
        world.boundedLogs.set(path, policy);
        return { lostBytes: 0, close: async () => void world.boundedLogs.delete(path) };
      },
    },
    specs: {
      assembleSpec: ({ path, args, rootfs, mounts }) => ({
        ociVersion: '1.1.0',
        root: { path: rootfs },
        mounts,
        process: { user: { uid: 0, gid: 0 }, args: [path, ...args], env: [], cwd: '/' },
        linux: { namespaces: [] },
      }),
      resolveUser: (_root, spec) => {
        if (spec !== '' && spec !== 'root') {
          const text = `unable to find user ${spec}: no matching entries in passwd file`;
          throw new WharfError('invalid', text);
        }
        return { uid: 0, gid: 0, additionalGids: [0], home: '/root', name: 'root' };
      },
      prepareWorkdir: () => undefined,
      execProcess: ({ container, args, env, cwd }) => ({
        ...container,
        args,
        env: [...container.env, ...env],
        cwd: cwd || container.cwd,
      }),
      host: {} as HostFacts,
      defaults: () => ({}),
    },
    writeNetworkFiles: () => ({ hosts: '/h/hosts', hostname: '/h/hostname', resolvConf: '/h/resolv.conf' }),
    updateNetworkFiles: ({ name }) => void world.updated.push(name),
    updateLinkedFiles: () => undefined,
    daemonDns: () => [],
    runtime: (name) => ({ name, path: '/usr/bin/crun', args: [] }),
    monitorHealth: () => undefined,
  };
}

function fakeVolumes(world: World): RunDeps['volumes'] {
  return {
    acquire: async (name, user) => {
      world.acquired.add(`${name} ${user}`);
      return `/volumes/${name}`;
    },
    release: async (name, user) => void world.acquired.delete(`${name} ${user}`),
    remove: async (name) => void world.removedVolumes.push(name),
    get: (name) => ({
      name,
      driver: 'local',
      options: {},
      labels: {},
      createdAt: '',
      anonymous: name.startsWith('anon'),
    }),
    mountpoint: (name) => `/volumes/${name}`,
  };
}

/** A log reader over `world.log`; a follow ends with the container. What is encoded has its format in front. */
export function fakeLogs(world: World) {
  async function* read(_path: string, query: LogQuery): AsyncGenerator<LogRecord> {
    for (const one of world.log) if (one.stream === 'stdout' ? query.stdout : query.stderr) yield one;
    if (!query.follow) return;
    const before = world.log.length;
    await query.follow.ended;
    yield* world.log.slice(before);
  }
  return {
    read,
    async *encode(path: string, query: LogQuery, format: LogFormat): AsyncGenerator<Buffer> {
      const { framed, timestamps, details } = format;
      const words = [framed ? 'framed' : '', timestamps ? 'timestamps' : '', details].filter(Boolean);
      for await (const { data } of read(path, query)) yield Buffer.from(`[${words}]${data}`);
    },
  };
}
