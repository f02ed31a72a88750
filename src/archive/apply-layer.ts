import { abortable } from '../base/index.ts';
import { LayerWriter, type WhiteoutForm } from './layer-writer.ts';
import { limitsFrom } from './limits.ts';
import { TarDecoder } from './tar-decoder.ts';
import type { ArchiveLimits } from './types.ts';

/** How an archive is applied. */
export interface ApplyOptions {
  limits?: Partial<ArchiveLimits> | undefined;
  /** `overlay` (default): whiteouts become overlayfs's; `plain`: names are taken as they are, for `docker cp` and the like. */
  form?: WhiteoutForm | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Writes an uncompressed tar below the directory `target`, which must exist, and nowhere else. The calls are synchronous
 * between chunks: a large archive belongs into a worker (`unpackLayer`). On error the target is left half filled, for the
 * caller to drop. Returns the apparent bytes of its files and symbolic links, hard links once. Errors: `invalid`, `corrupt`, `exhausted`, `cancelled`.
 */
export async function applyLayer(
  tar: AsyncIterable<Uint8Array>,
  target: string,
  options: ApplyOptions = {},
): Promise<number> {
  using writer = new LayerWriter(target, options.form ?? 'overlay');
  const decoder = new TarDecoder(writer, limitsFrom(options.limits));
  const chunks = tar[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const next = await abortable(Promise.resolve(chunks.next()), options.signal);
      if (next.done) break;
      decoder.push(next.value);
    }
    ended = true;
  } finally {
    if (!ended) void Promise.resolve(chunks.return?.()).catch(() => undefined);
  }
  decoder.finish();
  writer.finish();
  return writer.fileBytes;
}
