import { WharfError } from '../base/index.ts';
import { ExtractJob } from './extract-job.ts';
import type { TreeView } from './view.ts';
import { beginWork, type Work } from './work-threads.ts';

/** Buffers on their way to the thread and back. */
const BUFFERS = 4;
const BUFFER_BYTES = 1 << 20;

/** How an archive is extracted. */
export interface ExtractOptions {
  /** Whether a folder may be replaced by something else, and something else by a folder. */
  overwriteDirNonDir: boolean;
  /** Whom all entries belong to, instead of whom the archive names. */
  owner?: { uid: number; gid: number } | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Extracts a tar, plain or packed by gzip or zstd, into the folder `path` of a view, in a thread. The folder is the root
 * for all names and links of the archive, mounts beneath are written to, and nothing is written anywhere else. Runs of
 * zeros become holes. The view's descriptors may be closed once this settled. On error what was extracted stays. Errors:
 * as `locate` for `path`; `corrupt` and `invalid` archives; `internal` with Docker's texts for names that lead out and for
 * what is not to be overwritten; EROFS, EBUSY (mounts are not replaced), `exhausted`; `cancelled`; what the source throws.
 */
export async function extractView(
  view: TreeView,
  path: string,
  source: AsyncIterable<Uint8Array>,
  { signal, ...rules }: ExtractOptions,
): Promise<void> {
  if (signal?.aborted) throw cancelled();
  const work = beginWork({ extract: { view, path, rules } });
  const cancel = () => void work.stop();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    await feed(work, source);
    if (signal?.aborted) throw cancelled();
  } finally {
    signal?.removeEventListener('abort', cancel);
    await work.stop();
  }
}

/** As `extractView`, of a tar that is there as a whole, in the calling thread, which waits for the disk. */
export function extractViewHere(
  view: TreeView,
  path: string,
  archive: readonly Uint8Array[],
  rules: Omit<ExtractOptions, 'signal'>,
): void {
  using job = new ExtractJob({ view, path, rules });
  for (const piece of archive) job.push(piece);
  job.finish();
}

/** Gives the thread all of the source, in full buffers, and waits for its end; stops early when the thread does. */
async function feed(work: Work, source: AsyncIterable<Uint8Array>): Promise<void> {
  const chunks = source[Symbol.asyncIterator]();
  const filler = new Filler(work);
  let exhausted = false;
  try {
    for (let next = await work.during(chunks.next()); !next.done; next = await work.during(chunks.next()))
      await filler.add(next.value);
    exhausted = true;
  } finally {
    // A source that waits for more may wait forever.
    if (!exhausted) void Promise.resolve(chunks.return?.()).catch(() => undefined);
  }
  filler.finish();
  while (await work.next());
}

/** Joins chunks to buffers that go to the thread and come back. */
class Filler {
  private readonly work: Work;
  private buffer = new Uint8Array(BUFFER_BYTES);
  private filled = 0;
  /** Buffers that may still be made. */
  private left = BUFFERS - 1;

  constructor(work: Work) {
    this.work = work;
  }

  async add(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.byteLength; ) {
      const take = Math.min(chunk.byteLength - at, this.buffer.length - this.filled);
      this.buffer.set(chunk.subarray(at, at + take), this.filled);
      this.filled += take;
      at += take;
      if (this.filled === this.buffer.length) await this.change();
    }
  }

  finish(): void {
    if (this.filled > 0) this.work.give(this.buffer.subarray(0, this.filled));
    this.work.finish();
  }

  /** Gives the full buffer away and takes an empty one. */
  private async change(): Promise<void> {
    this.work.give(this.buffer);
    this.filled = 0;
    if (this.left > 0) {
      this.left -= 1;
      this.buffer = new Uint8Array(BUFFER_BYTES);
      return;
    }
    const back = await this.work.next();
    if (!back) throw cancelled();
    this.buffer = new Uint8Array(back.buffer);
  }
}

function cancelled(): WharfError {
  return new WharfError('cancelled', 'the extraction was cancelled');
}
