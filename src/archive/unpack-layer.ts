import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Worker } from 'node:worker_threads';
import { type ErrorKind, WharfError } from '../base/index.ts';
import type { Digest } from '../oci/index.ts';
import type { WhiteoutForm } from './layer-writer.ts';
import type { ArchiveLimits } from './types.ts';

/** A layer to unpack. */
export interface UnpackRequest {
  /** A file, or a stream, compressed or not. A file is faster: the worker reads it by itself. */
  source: string | AsyncIterable<Uint8Array>;
  /** An existing, empty directory. */
  target: string;
  /** Digest of the uncompressed tar, from the image config. */
  expectedDiffId?: Digest;
  limits?: Partial<ArchiveLimits>;
  form?: WhiteoutForm;
}

/** What was unpacked. `bytes` counts the uncompressed tar, `fileBytes` the apparent sizes of its files and links, hard links once. */
export interface UnpackResult {
  diffId: Digest;
  bytes: number;
  fileBytes: number;
}

/** What goes to the worker, and what comes back. */
export interface UnpackJob {
  file: string | undefined;
  target: string;
  expectedDiffId: Digest | undefined;
  limits: Partial<ArchiveLimits> | undefined;
  form: WhiteoutForm | undefined;
}
export type UnpackAnswer = { result: UnpackResult } | { error: { kind: ErrorKind; message: string } };

/**
 * Unpacks a layer in a worker thread, computing its diffID on the way. Errors: `corrupt` also when the diffID differs from
 * the expected one; `cancelled`. The target is left half filled then, for the caller to drop.
 */
export async function unpackLayer(request: UnpackRequest, signal?: AbortSignal): Promise<UnpackResult> {
  if (signal?.aborted) throw new WharfError('cancelled', 'the unpacking was cancelled');
  const { source, target, expectedDiffId, limits, form } = request;
  const file = typeof source === 'string' ? source : undefined;
  const job: UnpackJob = { file, target, expectedDiffId, limits, form };
  const worker = new Worker(new URL('./unpack-worker.ts', import.meta.url), {
    workerData: job,
    stdin: file === undefined,
    // Descriptors come from system calls of our own, which Node's bookkeeping doesn't see; it would warn at every close.
    trackUnmanagedFds: false,
  });
  const { promise, resolve, reject } = Promise.withResolvers<UnpackResult>();
  // The thread ends its work by itself, so that it closes what it has open; then it answers.
  const onAbort = () => worker.postMessage('cancel');
  signal?.addEventListener('abort', onAbort, { once: true });
  worker.on('message', (answer: UnpackAnswer) => {
    if ('result' in answer) resolve(answer.result);
    else reject(new WharfError(answer.error.kind, answer.error.message));
  });
  worker.on('error', (thrown) => reject(WharfError.from(thrown)));
  worker.on('exit', () => reject(new WharfError('internal', 'the unpacking thread ended without an answer')));
  if (typeof source !== 'string' && worker.stdin) {
    // A worker that refused stops reading; its own answer then says more than the broken pipe.
    pipeline(Readable.from(source, { objectMode: false }), worker.stdin).catch((thrown: unknown) =>
      setImmediate(() => reject(WharfError.from(thrown))),
    );
  }
  try {
    return await promise;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    // Waits until the thread is gone: nobody may write into a target that the caller drops.
    await worker.terminate();
  }
}
