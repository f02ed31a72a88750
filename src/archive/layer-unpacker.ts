import { createHash } from 'node:crypto';
import type { Digest } from '../oci/index.ts';
import { LayerWriter, type WhiteoutForm } from './layer-writer.ts';
import { corrupt, limitsFrom } from './limits.ts';
import { TarIntake } from './tar-intake.ts';
import type { ArchiveLimits } from './types.ts';

/** What is to be unpacked, and how. */
export interface UnpackerOptions {
  /** An existing directory. */
  target: string;
  /** Takes what is inflated; may be shared by many unpackers of one thread, for none keeps anything in it. */
  output: Buffer;
  expectedDiffId: Digest | undefined;
  limits: Partial<ArchiveLimits> | undefined;
  form: WhiteoutForm | undefined;
  /** Asked for each piece that is inflated; what it throws ends the unpacking. */
  check: () => void;
}

/** What was unpacked. `bytes` counts the uncompressed tar, `fileBytes` the apparent sizes of its files and links, hard links once. */
export interface UnpackResult {
  diffId: Digest;
  bytes: number;
  fileBytes: number;
}

/**
 * Unpacks a layer that is pushed in pieces, compressed or not: inflates, hashes, decodes and writes, all in the calling
 * thread and without a copy in between. After an error it is only good for disposal.
 */
export class LayerUnpacker implements Disposable {
  private readonly options: UnpackerOptions;
  private readonly hash = createHash('sha256');
  private readonly writer: LayerWriter;
  private readonly intake: TarIntake;

  constructor(options: UnpackerOptions) {
    this.options = options;
    this.writer = new LayerWriter(options.target, options.form ?? 'overlay');
    this.intake = new TarIntake(this.writer, {
      limits: limitsFrom(options.limits),
      output: options.output,
      onPlain: (plain) => {
        options.check();
        this.hash.update(plain);
      },
    });
  }

  /** Takes the next bytes. Errors: `corrupt`, `invalid`, `exhausted`. */
  push(bytes: Buffer): void {
    this.intake.push(bytes);
  }

  /** Says that no more comes. Errors: as `push`, and `corrupt` when the diffID is not the expected one. */
  finish(): UnpackResult {
    this.intake.finish();
    this.writer.finish();
    const diffId = `sha256:${this.hash.digest('hex')}` as Digest;
    const { expectedDiffId } = this.options;
    if (expectedDiffId !== undefined && diffId !== expectedDiffId)
      corrupt(`the layer unpacks to ${diffId}, its image names ${expectedDiffId}`);
    return { diffId, bytes: this.intake.bytes, fileBytes: this.writer.fileBytes };
  }

  [Symbol.dispose](): void {
    this.intake[Symbol.dispose]();
    this.writer[Symbol.dispose]();
  }
}
