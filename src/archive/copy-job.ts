import type { WharfError } from '../base/index.ts';
import { ExtractJob, type ExtractRequest } from './extract-job.ts';
import { PackJob, type PackRequest } from './pack-job.ts';

/** What a thread copies, and where to. */
export interface CopyRequest {
  source: PackRequest;
  target: ExtractRequest;
}

/** Which side of a copy. */
export type CopyEnd = 'source' | 'target';

/** How far a copy is. */
export interface CopyStep {
  /** Of the tar so far. */
  bytes: number;
  /** What it failed with, and at which end. The last step then. */
  fault?: { end: CopyEnd; reason: WharfError };
}

/** So much goes through the processor's cache, and more through memory. Bytes. */
const PIECE = 1 << 18;
// All jobs of this thread take turns and keep nothing in it between them.
let piece: Buffer | undefined;

/** Copies from a view to a view: a tar that is never more than one piece long. */
export class CopyJob implements Disposable {
  /** Of the tar so far. */
  bytes = 0;
  /** The end that is at work: when a step throws, the one that failed. */
  end: CopyEnd = 'source';
  private readonly request: CopyRequest;
  private source: PackJob | undefined;
  private target: ExtractJob | undefined;

  constructor(request: CopyRequest) {
    this.request = request;
  }

  /** Copies one piece; false once all is done. */
  step(): boolean {
    piece ??= Buffer.allocUnsafeSlow(PIECE);
    this.end = 'target';
    this.target ??= new ExtractJob(this.request.target);
    this.end = 'source';
    this.source ??= new PackJob(this.request.source);
    const length = this.source.fill(piece);
    this.bytes += length;
    this.end = 'target';
    if (length > 0) this.target.push(piece.subarray(0, length));
    else this.target.finish();
    return length > 0;
  }

  [Symbol.dispose](): void {
    this.source?.[Symbol.dispose]();
    this.target?.[Symbol.dispose]();
  }
}
