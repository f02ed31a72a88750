import { fstatSync } from 'node:fs';
import { WharfError } from '../base/index.ts';
import { fromNodeError } from './errno.ts';
import { duplicateFd, type Fd } from './fd.ts';
import { ffi } from './libc.ts';

/** What a descriptor is ready for. An error or a hang-up shows as both that were asked for; the next call on it tells. */
export interface Readiness {
  readable: boolean;
  writable: boolean;
}

type Events = { readable?: boolean; writable?: boolean };
type Handle = ReturnType<ReturnType<typeof ffi>['node']['poll']>;

/** A running watch that keeps its native handle reachable: a collected handle would stop in silence. */
const running = new Set<FdWatch>();
let ready: { watch: FdWatch; events: Readiness }[] = [];

/**
 * Watches a descriptor in the event loop, level-triggered. For the owner of the descriptor: it must be stopped before
 * the descriptor is closed, and no descriptor may have two. Unless `keepAlive`, it does not keep the process running.
 */
export class FdWatch implements Disposable {
  private handle: Handle | undefined;
  private wanted: Events = {};
  private readonly onReady: (events: Readiness) => void;

  constructor(fd: number, events: Events, onReady: (events: Readiness) => void, keepAlive = false) {
    checkPollable(fd);
    this.onReady = onReady;
    this.wanted = events;
    this.handle = ffi().node.poll(fd, events, this.noted);
    if (!keepAlive) this.handle.unref();
    running.add(this);
  }

  /** Changes what is watched for; nothing pauses it. */
  update(events: Events): void {
    this.wanted = events;
    if (events.readable || events.writable) this.handle?.start(events, this.noted);
    else this.handle?.stop();
  }

  /** Stops for good; safe to call again. `onReady` is not called after this. */
  stop(): void {
    this.handle?.close();
    this.handle = undefined;
    running.delete(this);
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  /** Called by the drain; events that were switched off since are left out. */
  deliver(events: Readiness): void {
    const wanted = {
      readable: events.readable && this.wanted.readable === true,
      writable: events.writable && this.wanted.writable === true,
    };
    if (this.handle && (wanted.readable || wanted.writable)) this.onReady(wanted);
  }

  /** libuv calls this outside of Node's own callbacks, where promises do not go on: hence the way over an immediate, in the same turn of the loop. */
  private readonly noted = (status: unknown, events?: Partial<Readiness>): void => {
    const failed = typeof status === 'number' && status < 0;
    if (ready.length === 0) setImmediate(drain);
    ready.push({
      watch: this,
      events: {
        readable: failed || events?.readable === true,
        writable: failed || events?.writable === true,
      },
    });
  };
}

function drain(): void {
  const batch = ready;
  ready = [];
  for (const [at, { watch, events }] of batch.entries()) {
    try {
      watch.deliver(events);
    } catch (thrown) {
      // The others must not be lost; libuv reports what is still ready again, and the error goes its way.
      if (at + 1 < batch.length) setImmediate(drainRest, batch.slice(at + 1));
      throw thrown;
    }
  }
}

function drainRest(rest: { watch: FdWatch; events: Readiness }[]): void {
  for (const { watch, events } of rest) watch.deliver(events);
}

/** libuv accepts what epoll does; the native wrapper must not be made for anything else. */
function checkPollable(fd: number): void {
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() && !stat.isDirectory()) return;
  } catch (thrown) {
    throw fromNodeError(thrown, 'poll', `descriptor ${fd}`);
  }
  throw new WharfError('invalid', `descriptor ${fd} is a file or a directory, which is always ready`);
}

/**
 * Calls `onReady` whenever the descriptor is ready, until the result is disposed. The descriptor is duplicated, so one
 * may have several watches and may be closed before them; it is made non-blocking. Level-triggered: take what is there
 * or dispose. Unless `keepAlive`, a watch does not keep the process running.
 */
export function pollFd(
  fd: number,
  events: Events,
  onReady: (ready: Readiness) => void,
  options: { keepAlive?: boolean } = {},
): Disposable {
  const own = duplicateFd(fd);
  try {
    const watch = new FdWatch(own.fd, events, onReady, options.keepAlive);
    return { [Symbol.dispose]: () => release(watch, own) };
  } catch (thrown) {
    own.close();
    throw thrown;
  }
}

function release(watch: FdWatch, own: Fd): void {
  watch.stop();
  own.close();
}
