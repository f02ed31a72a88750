import { abortable, WharfError } from '../../base/index.ts';
import type { Digest } from '../../oci/index.ts';

/** Where a blob is going: a repository of a registry. */
export interface BlobDestination {
  domain: string;
  path: string;
  digest: Digest;
}

/** Blobs of which is remembered where they went: the next push of a series wants to mount them before they are recorded. */
const REMEMBERED = 1024;

/** Sends a blob, telling how many bytes the other side has. */
export type SendBlob = (sent: (bytes: number) => void, signal: AbortSignal) => Promise<void>;

/**
 * The uploads of all pushes: at most `limit` at once, and each blob once per registry at a time. Another push that wants
 * the same blob in the same repository joins; one for another repository can wait and mount it from there.
 */
export class Uploads {
  private readonly limit: () => number;
  private readonly running = new Map<string, Map<string, SharedUpload>>();
  private readonly lately = new Map<string, string>();
  private readonly waiting: (() => void)[] = [];
  private active = 0;

  constructor(limit: () => number) {
    this.limit = limit;
  }

  /** Joins the upload of this blob to this repository, or begins it; it is cancelled when nobody waits for it any more. */
  share(
    to: BlobDestination,
    send: SendBlob,
    sent: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const shared = this.find(to) ?? this.begin(to, send);
    return shared.join(sent, signal);
  }

  /**
   * Other repositories of the same registry from which the blob can be mounted: those it is being sent to now, `ready`
   * telling whether that went well, and the one that got it last.
   */
  holders(to: BlobDestination): { path: string; ready: Promise<boolean> }[] {
    const running = [...(this.running.get(key(to)) ?? [])].map(([path, { succeeded }]) => ({
      path,
      ready: succeeded,
    }));
    const last = this.lately.get(key(to));
    const known = last === undefined ? [] : [{ path: last, ready: Promise.resolve(true) }];
    return [...running, ...known].filter(({ path }) => path !== to.path);
  }

  /** Remembers, for a while, that the blob is there. */
  arrived(to: BlobDestination): void {
    const at = key(to);
    this.lately.delete(at);
    this.lately.set(at, to.path);
    if (this.lately.size > REMEMBERED) this.lately.delete(this.lately.keys().next().value as string);
  }

  private find(to: BlobDestination): SharedUpload | undefined {
    const shared = this.running.get(key(to))?.get(to.path);
    return shared?.abandoned ? undefined : shared;
  }

  private begin(to: BlobDestination, send: SendBlob): SharedUpload {
    const shared = new SharedUpload((sent, signal) => this.inTurn(() => send(sent, signal), signal));
    const paths = this.running.get(key(to)) ?? new Map<string, SharedUpload>();
    this.running.set(key(to), paths.set(to.path, shared));
    void shared.succeeded.then(() => {
      // A newer upload may have taken the place of one that was abandoned.
      if (paths.get(to.path) === shared) paths.delete(to.path);
      if (paths.size === 0 && this.running.get(key(to)) === paths) this.running.delete(key(to));
    });
    return shared;
  }

  private async inTurn(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    await this.enter(signal);
    try {
      await work();
    } finally {
      this.active--;
      this.admit();
    }
  }

  private async enter(signal: AbortSignal): Promise<void> {
    const turn = Promise.withResolvers<void>();
    this.waiting.push(turn.resolve);
    this.admit();
    try {
      await abortable(turn.promise, signal);
    } catch (thrown) {
      const at = this.waiting.indexOf(turn.resolve);
      if (at >= 0) this.waiting.splice(at, 1);
      else this.active--;
      this.admit();
      throw thrown;
    }
  }

  private admit(): void {
    while (this.waiting.length > 0 && this.active < Math.max(1, this.limit())) {
      this.active++;
      this.waiting.shift()?.();
    }
  }
}

function key({ domain, digest }: BlobDestination): string {
  return `${domain} ${digest}`;
}

/** One upload and everybody who waits for it. */
class SharedUpload {
  /** Settles with the upload, never rejects. */
  readonly succeeded: Promise<boolean>;
  private readonly work: Promise<void>;
  private readonly controller = new AbortController();
  private readonly listeners = new Set<(bytes: number) => void>();
  private bytes = 0;

  constructor(send: SendBlob) {
    this.work = send((bytes) => this.tell(bytes), this.controller.signal);
    this.succeeded = this.work.then(
      () => true,
      () => false,
    );
  }

  /** True once the last who waited gave up. */
  get abandoned(): boolean {
    return this.controller.signal.aborted;
  }

  async join(sent: (bytes: number) => void, signal: AbortSignal): Promise<void> {
    // A function of its own for each, though two may have passed the same.
    const listener = (bytes: number) => sent(bytes);
    this.listeners.add(listener);
    if (this.bytes > 0) sent(this.bytes);
    try {
      await abortable(this.work, signal);
    } finally {
      this.listeners.delete(listener);
      if (this.listeners.size === 0)
        this.controller.abort(new WharfError('cancelled', 'nobody waits for this'));
    }
  }

  private tell(bytes: number): void {
    this.bytes = bytes;
    for (const listener of this.listeners) listener(bytes);
  }
}
