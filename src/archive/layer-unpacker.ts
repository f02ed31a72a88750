import { createHash } from 'node:crypto';
import type { Digest } from '../oci/index.ts';
import { type Inflater, openGunzip, openUnzstd } from '../sys/index.ts';
import { checkGrowth, refuseCompression, sniffCompression } from './decompress.ts';
import { LayerWriter, type WhiteoutForm } from './layer-writer.ts';
import { corrupt, limitsFrom } from './limits.ts';
import { TarDecoder } from './tar-decoder.ts';
import type { ArchiveLimits } from './types.ts';

/** Enough to tell a compression by. */
const HEAD_BYTES = 6;

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
  private readonly limits: ArchiveLimits;
  private readonly hash = createHash('sha256');
  private readonly writer: LayerWriter;
  private readonly decoder: TarDecoder;
  private head: Buffer | undefined = Buffer.alloc(0);
  private inflater: Inflater | undefined;
  private input = 0;
  private output = 0;

  constructor(options: UnpackerOptions) {
    this.options = options;
    this.limits = limitsFrom(options.limits);
    this.writer = new LayerWriter(options.target, options.form ?? 'overlay');
    this.decoder = new TarDecoder(this.writer, this.limits);
  }

  /** Takes the next bytes. Errors: `corrupt`, `invalid`, `exhausted`. */
  push(bytes: Buffer): void {
    this.input += bytes.length;
    if (!this.head) {
      this.inflate(bytes);
      return;
    }
    this.head = this.head.length === 0 ? bytes : Buffer.concat([this.head, bytes]);
    if (this.head.length >= HEAD_BYTES) this.begin(this.head);
    // The pieces are the caller's, who may use them again.
    else this.head = Buffer.from(this.head);
  }

  /** Says that no more comes. Errors: as `push`, and `corrupt` when the diffID is not the expected one. */
  finish(): UnpackResult {
    if (this.head) this.begin(this.head);
    this.inflater?.finish();
    this.decoder.finish();
    this.writer.finish();
    const diffId = `sha256:${this.hash.digest('hex')}` as Digest;
    const { expectedDiffId } = this.options;
    if (expectedDiffId !== undefined && diffId !== expectedDiffId)
      corrupt(`the layer unpacks to ${diffId}, its image names ${expectedDiffId}`);
    return { diffId, bytes: this.output, fileBytes: this.writer.fileBytes };
  }

  [Symbol.dispose](): void {
    this.inflater?.[Symbol.dispose]();
    this.writer[Symbol.dispose]();
  }

  private begin(head: Buffer): void {
    this.head = undefined;
    const compression = sniffCompression(head);
    if (compression === 'gzip') this.inflater = openGunzip(this.options.output);
    else if (compression === 'zstd') this.inflater = openUnzstd(this.options.output);
    else refuseCompression(compression);
    this.inflate(head);
  }

  private inflate(bytes: Buffer): void {
    const { inflater } = this;
    if (inflater) inflater.push(bytes, this.take);
    else if (bytes.length > 0) this.take(bytes);
  }

  private readonly take = (plain: Buffer): void => {
    this.options.check();
    this.output += plain.length;
    checkGrowth(this.limits, this.input, this.output);
    this.hash.update(plain);
    this.decoder.push(plain);
  };
}
