import { createHash } from 'node:crypto';
import { abortable, WharfError } from '../base/index.ts';
import { type Digest, splitDigest } from '../oci/index.ts';

/** What came in. */
export interface ReceivedBlob {
  digest: Digest;
  size: number;
}

/**
 * Passes every chunk to `keep` while it hashes and counts. Errors: `corrupt` as soon as more bytes come than expected, and
 * at the end for too few or a wrong digest; `cancelled`. The source is closed in every case.
 */
export async function receive(
  source: AsyncIterable<Uint8Array>,
  expected: { digest?: Digest; size?: number },
  keep: (chunk: Uint8Array) => Promise<void> | void,
  signal?: AbortSignal,
): Promise<ReceivedBlob> {
  const algorithm = expected.digest === undefined ? 'sha256' : splitDigest(expected.digest).algorithm;
  const hash = createHash(algorithm);
  const chunks = source[Symbol.asyncIterator]();
  let size = 0;
  let ended = false;
  try {
    for (;;) {
      const next = await abortable(Promise.resolve(chunks.next()), signal);
      if (next.done) break;
      size += next.value.byteLength;
      if (expected.size !== undefined && size > expected.size) {
        throw new WharfError(
          'corrupt',
          `${describe(expected)}: more than the ${expected.size} bytes announced came in`,
        );
      }
      // Written by another thread while this one hashes.
      const kept = keep(next.value);
      hash.update(next.value);
      await kept;
    }
    ended = true;
  } finally {
    // Not awaited: a source that hangs in next() would hang here, too.
    if (!ended) void Promise.resolve(chunks.return?.()).catch(() => undefined);
  }
  checkReceived({ size }, expected);
  const digest = `${algorithm}:${hash.digest('hex')}` as Digest;
  checkReceived({ size, digest }, expected);
  return { digest, size };
}

/** Throws `corrupt` when what came in is not what was expected. */
export function checkReceived(
  received: { size: number; digest?: Digest },
  expected: { digest?: Digest; size?: number },
): void {
  if (expected.size !== undefined && received.size !== expected.size) {
    throw new WharfError(
      'corrupt',
      `${describe(expected)}: ${received.size} bytes came in, ${expected.size} were announced`,
    );
  }
  if (received.digest && expected.digest !== undefined && received.digest !== expected.digest) {
    throw new WharfError('corrupt', `${describe(expected)}: the content has the digest ${received.digest}`);
  }
}

/** The error for a blob that is not here. */
export function notFound(digest: Digest, cause?: unknown): WharfError {
  return new WharfError('not-found', `content ${digest}: not found`, { cause });
}

/** Throws `invalid` when a blob is too large to be read as a whole. */
export function rejectLargeRead(digest: Digest, size: number, maxBytes: number): void {
  if (size > maxBytes) {
    throw new WharfError(
      'invalid',
      `content ${digest} has ${size} bytes, more than the ${maxBytes} that are read at once`,
    );
  }
}

function describe(expected: { digest?: Digest }): string {
  return `content ${expected.digest ?? 'without a known digest'}`;
}
