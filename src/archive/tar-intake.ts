import { type Inflater, openGunzip, openUnzstd } from '../sys/index.ts';
import { checkGrowth, refuseCompression, sniffCompression } from './decompress.ts';
import { TarDecoder, type TarSink } from './tar-decoder.ts';
import type { ArchiveLimits } from './types.ts';

/** Enough to tell a compression by. */
const HEAD_BYTES = 6;

/** How an archive is taken in. */
export interface TarIntakeOptions {
  limits: ArchiveLimits;
  /** Takes what is inflated; may be shared by many of one thread, for none keeps anything in it. */
  output: Buffer;
  /** Told each piece of the plain tar before it is decoded; what it throws ends the work. */
  onPlain: (plain: Buffer) => void;
}

/**
 * Takes an archive that is pushed in pieces, compressed or not, and gives a sink its entries: all in the calling thread and
 * without a copy in between. After an error it is only good for disposal.
 */
export class TarIntake implements Disposable {
  /** Plain bytes so far. */
  bytes = 0;
  private readonly options: TarIntakeOptions;
  private readonly decoder: TarDecoder;
  private head: Buffer | undefined = Buffer.alloc(0);
  private inflater: Inflater | undefined;
  private input = 0;

  constructor(sink: TarSink, options: TarIntakeOptions) {
    this.options = options;
    this.decoder = new TarDecoder(sink, options.limits);
  }

  /** Takes the next bytes. Errors: `corrupt`, `invalid`, and what the sink throws. */
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

  /** Says that no more comes. Errors: as `push`; `corrupt` for what was cut off. */
  finish(): void {
    if (this.head) this.begin(this.head);
    this.inflater?.finish();
    this.decoder.finish();
  }

  [Symbol.dispose](): void {
    this.inflater?.[Symbol.dispose]();
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
    this.bytes += plain.length;
    checkGrowth(this.options.limits, this.input, this.bytes);
    this.options.onPlain(plain);
    this.decoder.push(plain);
  };
}
