import { join } from 'node:path';
import { type Fd, O, openat2 } from '../../sys/index.ts';
import { type ContainerRecord, openMounted } from '../containers/index.ts';
import type { CopyDeps } from './types.ts';

/** A root filesystem that stays as it is while it is held. */
export interface OpenRoot extends AsyncDisposable {
  /** O_PATH descriptor of the root directory. */
  fd: Fd;
  /** The container as it was when the root was opened. */
  record: ContainerRecord;
  running: boolean;
}

type RootDeps = Pick<CopyDeps, 'store' | 'live' | 'snapshotter' | 'dataRoot' | 'paths'>;

interface Held {
  users: number;
  /** Undefined when the container turned out to run. */
  ready: Promise<{ fd: Fd; record: ContainerRecord } | undefined>;
  /** Called by the last user. */
  end: () => void;
  ended: Promise<void>;
}

/**
 * The root filesystems of containers for copying. Of a running one it is the mount that is there. A stopped one is mounted,
 * under the container's lock, for as long as any copy uses it: copies at the same time share it, so that one may feed
 * another; a start waits. The mount has no name in the host's tree while it is used, and goes with its last descriptor,
 * whatever becomes of the daemon.
 */
export class StoppedRoots {
  private readonly held = new Map<string, Held>();

  /** Errors: `not-found` when the container is removed meanwhile. */
  async open(deps: RootDeps, id: string): Promise<OpenRoot> {
    for (;;) {
      const running = this.held.has(id) ? undefined : await openRunning(deps, id);
      if (running) return running;
      const held = this.held.get(id) ?? this.hold(deps, id);
      held.users += 1;
      const root = await held.ready;
      if (root) return { ...root, running: false, [Symbol.asyncDispose]: () => this.leave(id, held) };
    }
  }

  private hold(deps: RootDeps, id: string): Held {
    const ready = Promise.withResolvers<{ fd: Fd; record: ContainerRecord } | undefined>();
    const left = Promise.withResolvers<void>();
    const work = deps.store.withLock(id, async (record) => {
      if (mayRun(record)) return ready.resolve(undefined);
      // What the last run left mounted uses the same directories.
      await deps.live.get(id)?.cleanup;
      const fd = openMounted(deps, deps.snapshotter.mount(id));
      ready.resolve({ fd, record });
      await left.promise;
      await fd.closeLater();
    });
    const forget = () => this.held.delete(id);
    void ready.promise.then((root) => root ?? forget(), forget);
    const held = { users: 0, ready: ready.promise, end: left.resolve, ended: work.catch(ready.reject) };
    this.held.set(id, held);
    return held;
  }

  private leave(id: string, held: Held): Promise<void> {
    held.users -= 1;
    if (held.users > 0) return Promise.resolve();
    this.held.delete(id);
    held.end();
    return held.ended;
  }
}

const mayRun = ({ state }: ContainerRecord) => state.status === 'running' || state.status === 'paused';

/** Under the lock, since the end of a run unmounts it; what is opened then stays whole. */
function openRunning(deps: RootDeps, id: string): Promise<OpenRoot | undefined> {
  return deps.store.withLock(id, async (record) => {
    if (!mayRun(record)) return undefined;
    const fd = openat2(join(deps.paths.mounts, id), '.', { flags: O.PATH | O.DIRECTORY });
    return { fd, record, running: true, [Symbol.asyncDispose]: async () => fd.close() };
  });
}
