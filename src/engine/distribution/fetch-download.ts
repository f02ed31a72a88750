import { abortable, isKind, WharfError } from '../../base/index.ts';
import type { Ingest } from '../../content/index.ts';
import type { Descriptor } from '../../oci/index.ts';
import type { FetchDeps, FetchRequest, FetchWatcher, Transfer } from './fetch.ts';
import { ComingBlob } from './fetch-coming.ts';
import { BrokenBody, retryDelay, unknownBlob, verificationFailed } from './fetch-failures.ts';
import type { Lanes } from './fetch-lanes.ts';

/** So many bytes more since the last cut, and the count of tries begins anew: a slow line is no reason to give up. */
const PROGRESS_BYTES = 1 << 20;

/** One who wants the blob. */
interface Member {
  request: FetchRequest;
  watcher: FetchWatcher;
  settled: PromiseWithResolvers<void>;
}

/** The fetching of one blob, for all who want it. */
export class Download {
  /** When it is over, well or not; never rejects. */
  readonly ended: Promise<void>;
  private readonly deps: FetchDeps;
  private readonly lanes: Lanes;
  private readonly blob: Descriptor;
  private readonly before: Promise<void> | undefined;
  private readonly over = Promise.withResolvers<void>();
  private readonly cancel = new AbortController();
  private readonly members = new Set<Member>();
  private readonly coming: ComingBlob;

  /** `before`: an earlier fetch of the same digest that has to end first. */
  constructor(deps: FetchDeps, lanes: Lanes, blob: Descriptor, before: Promise<void> | undefined) {
    this.deps = deps;
    this.lanes = lanes;
    this.blob = blob;
    this.before = before;
    this.ended = this.over.promise;
    this.coming = new ComingBlob(blob.size, () => deps.content.pathOf(blob.digest));
  }

  /** False when it is of another size or on its end: who wants the blob begins anew after it. */
  accepts(blob: Descriptor): boolean {
    return blob.size === this.blob.size && !this.cancel.signal.aborted && !this.coming.over;
  }

  join(request: FetchRequest, watcher: FetchWatcher, signal: AbortSignal): Transfer {
    const member: Member = { request, watcher, settled: Promise.withResolvers<void>() };
    this.members.add(member);
    const leave = () => this.leave(member);
    signal.addEventListener('abort', leave, { once: true });
    void member.settled.promise.catch(() => {}).finally(() => signal.removeEventListener('abort', leave));
    if (signal.aborted) leave();
    const { coming } = this;
    if (coming.offset > 0) watcher.progress?.(coming.offset);
    return {
      arrived: member.settled.promise,
      get restarts() {
        return coming.restarts;
      },
      source: () => abortable(coming.source(), signal),
    };
  }

  /** Starts it; the result goes to the members. */
  begin(): void {
    void this.run().finally(() => this.over.resolve());
  }

  private leave(member: Member): void {
    if (!this.members.delete(member)) return;
    const cancelled = new WharfError('cancelled', 'the request was cancelled');
    if (this.members.size > 0) {
      member.settled.reject(cancelled);
      return;
    }
    this.cancel.abort();
    // The blob may be named all the same: until then the last one must keep its lease.
    void this.ended.then(() => member.settled.reject(cancelled));
  }

  private settle(member: Member, thrown: unknown): void {
    if (!this.members.delete(member)) return;
    if (thrown === undefined) member.settled.resolve();
    else member.settled.reject(thrown);
    if (this.members.size === 0) this.cancel.abort();
  }

  private tell(call: (watcher: FetchWatcher) => void): void {
    for (const { watcher } of this.members) call(watcher);
  }

  private async run(): Promise<void> {
    try {
      if (this.before) await this.before;
      await this.fetchFromAny();
      this.coming.done();
      for (const member of this.members) this.settle(member, undefined);
    } catch (thrown) {
      this.coming.fail(thrown);
      for (const member of this.members) this.settle(member, thrown);
    }
  }

  /** One of another size was damaged on the disk, unless the size is a lie: then what comes will be refused by it. */
  private async present(): Promise<boolean> {
    const found = await this.deps.content.stat(this.blob.digest);
    return found?.size === this.blob.size;
  }

  /** Tries the place of the first who wants it; if that fails those of other places who are still there. */
  private async fetchFromAny(): Promise<void> {
    for (;;) {
      const first = this.members.values().next().value;
      if (!first) throw new WharfError('cancelled', 'the request was cancelled');
      const { request } = first;
      try {
        return await this.fetchFrom(request);
      } catch (thrown) {
        const others = [...this.members].filter((member) => member.request.place !== request.place);
        if (others.length === 0) throw thrown;
        for (const member of this.members) if (!others.includes(member)) this.settle(member, thrown);
      }
    }
  }

  private async fetchFrom(request: FetchRequest): Promise<void> {
    let tries = 0;
    let spoiled = false;
    for (let reached = this.coming.offset; ; ) {
      try {
        return await this.fetchOnce(request);
      } catch (thrown) {
        if (this.cancel.signal.aborted) throw thrown;
        if (isKind(thrown, 'corrupt')) {
          if (spoiled) throw verificationFailed(this.blob, thrown);
          spoiled = true;
          tries = 0;
          reached = 0;
          continue;
        }
        if (!(thrown instanceof BrokenBody)) throw thrown;
        tries = this.coming.offset - reached >= PROGRESS_BYTES ? 1 : tries + 1;
        reached = this.coming.offset;
        if (tries >= this.deps.limits.attempts()) throw thrown.cause;
        await this.pause(retryDelay(tries));
      }
    }
  }

  private async pause(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 1000) {
      this.tell((watcher) => watcher.retrying?.(Math.ceil(left / 1000)));
      await this.deps.clock.sleep(Math.min(left, 1000), this.cancel.signal);
    }
  }

  private async fetchOnce(request: FetchRequest): Promise<void> {
    const ingest = await this.inTurn(request, () => this.receiveAll(request));
    if (!ingest) return;
    try {
      this.coming.complete();
      this.tell((watcher) => watcher.verifying?.());
      await ingest.commit({ digest: this.blob.digest, size: this.blob.size });
    } catch (thrown) {
      // Whatever it failed by, what came is discarded.
      this.coming.restart();
      throw thrown;
    }
  }

  /** A turn ends with the last byte: the disk is waited for beside the next download, and so are other tries. */
  private inTurn<T>({ urgent }: FetchRequest, work: () => Promise<T>): Promise<T> {
    if (urgent) return work();
    return this.lanes.run(work, this.cancel.signal, () => this.tell((watcher) => watcher.waiting?.()));
  }

  /** Brings what is missing; undefined when the blob is here. */
  private async receiveAll(request: FetchRequest): Promise<Ingest | undefined> {
    if (await this.present()) return undefined;
    const ingest = await this.deps.content.ingest(this.blob.digest.replace(':', '-'));
    try {
      this.coming.open(ingest.path, ingest.offset);
      if (ingest.offset > 0) this.tell((watcher) => watcher.progress?.(ingest.offset));
      if (ingest.offset < this.blob.size) await this.receive(request, ingest);
      if (ingest.offset > this.blob.size) throw tooLong(this.blob);
      return ingest;
    } catch (thrown) {
      await this.letGo(ingest, thrown);
      throw thrown;
    }
  }

  /** Keeps what came for the next try, unless it is wrong. */
  private async letGo(ingest: Ingest, thrown: unknown): Promise<void> {
    if (!isKind(thrown, 'corrupt')) return ingest.close();
    await ingest.discard();
    this.coming.restart();
  }

  private async receive(request: FetchRequest, ingest: Ingest): Promise<void> {
    const { signal } = this.cancel;
    const { start, body } = await request.repository
      .blob(this.blob, ingest.offset, signal)
      .catch((thrown: unknown) => {
        throw isKind(thrown, 'not-found') ? unknownBlob(thrown) : thrown;
      });
    // Who does not know ranges begins earlier; what is here already is passed over.
    let skip = ingest.offset - start;
    if (skip < 0)
      throw new WharfError('corrupt', 'the registry sent another part of the blob than was asked for');
    const pieces = body[Symbol.asyncIterator]();
    try {
      for (;;) {
        const piece = await nextPiece(pieces);
        if (!piece) break;
        const fresh = skip > 0 ? piece.subarray(skip) : piece;
        skip = Math.max(0, skip - piece.length);
        if (ingest.offset + fresh.length > this.blob.size) throw tooLong(this.blob);
        if (fresh.length > 0) await this.keep(ingest, fresh);
        signal.throwIfAborted();
      }
    } finally {
      // Not awaited: a source that hangs would hang here, too.
      void Promise.resolve(pieces.return?.()).catch(() => undefined);
    }
    if (ingest.offset < this.blob.size) throw new BrokenBody(new WharfError('unavailable', 'unexpected EOF'));
  }

  private async keep(ingest: Ingest, piece: Uint8Array): Promise<void> {
    try {
      await ingest.write(piece);
    } catch (thrown) {
      if (!isKind(thrown, 'exhausted')) throw thrown;
      const { digest, size } = this.blob;
      throw new WharfError(
        'exhausted',
        `${(thrown as Error).message}: ${ingest.offset} of ${size} bytes of ${digest} are kept, the next pull goes on from there`,
        { cause: thrown },
      );
    } finally {
      this.coming.advance(ingest.offset);
    }
    for (const { watcher } of this.members) watcher.progress?.(ingest.offset);
  }
}

/** The next piece of a body, or undefined at its end. Errors: `BrokenBody`. */
async function nextPiece(pieces: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    const next = await pieces.next();
    return next.done ? undefined : next.value;
  } catch (thrown) {
    throw new BrokenBody(WharfError.from(thrown, 'unavailable'));
  }
}

function tooLong(blob: Descriptor): WharfError {
  return new WharfError(
    'corrupt',
    `more than the ${blob.size} bytes of ${blob.digest} that were announced came in`,
  );
}
