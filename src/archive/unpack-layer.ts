import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { errnoCode, WharfError } from '../base/index.ts';
import type { Digest } from '../oci/index.ts';
import { GrowingFile } from './growing-file.ts';
import type { UnpackResult } from './layer-unpacker.ts';
import type { WhiteoutForm } from './layer-writer.ts';
import type { ArchiveLimits } from './types.ts';
import { unpackThreads } from './unpack-threads.ts';

/** A layer to unpack. */
export interface UnpackRequest {
  /** A file, compressed or not, that is whole or still grows. It is opened at the call, and may be renamed after that. */
  source: string | GrowingFile;
  /** An existing, empty directory. */
  target: string;
  /** Digest of the uncompressed tar, from the image config. */
  expectedDiffId?: Digest;
  limits?: Partial<ArchiveLimits>;
  form?: WhiteoutForm;
  /** Told now and then how many bytes of the file are unpacked. */
  onProgress?: (read: number) => void;
}

/**
 * Unpacks a layer in a worker thread, computing its diffID on the way. Errors: `corrupt` also when the diffID differs from
 * the expected one; `not-found` source; `cancelled`; what a growing file failed with. The target is left half filled then,
 * for the caller to drop; nobody writes into it any more.
 */
export async function unpackLayer(request: UnpackRequest, signal?: AbortSignal): Promise<UnpackResult> {
  const { source, target, expectedDiffId, limits, form, onProgress } = request;
  const fd = openSource(typeof source === 'string' ? source : source.path);
  try {
    const file = typeof source === 'string' ? wholeFile(source, fd) : source;
    const cancel = () => file.fail(new WharfError('cancelled', 'the unpacking was cancelled'));
    if (signal?.aborted) cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      return await unpackThreads().run(
        { fd, shared: file.shared, target, expectedDiffId, limits, form },
        { size: file.size ?? 0, onProgress, onStart: (wake) => file.onWake(wake) },
      );
    } catch (thrown) {
      // The thread only knows that it was stopped.
      throw file.failure ? file.failure.reason : thrown;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  } finally {
    closeSync(fd);
  }
}

function wholeFile(path: string, fd: number): GrowingFile {
  const { size } = fstatSync(fd);
  const file = new GrowingFile(path, size);
  file.advance(size);
  file.end();
  return file;
}

function openSource(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY);
  } catch (thrown) {
    throw WharfError.from(thrown, errnoCode(thrown) === 'ENOENT' ? 'not-found' : 'internal');
  }
}
