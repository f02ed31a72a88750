import { GrowingFile } from '../../archive/index.ts';
import { RESTARTED } from './fetch-failures.ts';

/** A blob on its way, as those see it who read it while it comes: the file that grows, or in the end the blob's own. */
export class ComingBlob {
  private readonly size: number;
  private readonly finalPath: () => string;
  private readonly followers = new Set<GrowingFile>();
  private phase: 'waiting' | 'open' | 'complete' | 'done' | 'failed' = 'waiting';
  private changed = Promise.withResolvers<void>();
  private path = '';
  private bytes = 0;
  private begun = 0;
  private failure: unknown;

  /** `finalPath`: where the blob lies when it is done. */
  constructor(size: number, finalPath: () => string) {
    this.size = size;
    this.finalPath = finalPath;
  }

  /** Bytes that are here. */
  get offset(): number {
    return this.bytes;
  }

  /** How often it began anew because what had come was wrong. */
  get restarts(): number {
    return this.begun;
  }

  /** Nothing more happens to it. */
  get over(): boolean {
    return this.phase === 'done' || this.phase === 'failed';
  }

  /** It comes into this file, of which so many bytes are here. */
  open(path: string, offset: number): void {
    this.path = path;
    this.advance(offset);
    this.enter('open');
  }

  advance(offset: number): void {
    this.bytes = offset;
    for (const file of this.followers) file.advance(offset);
  }

  /** All has come. The file may be renamed any moment: nobody new opens it. */
  complete(): void {
    for (const file of this.followers) file.end();
    this.enter('complete');
  }

  done(): void {
    this.enter('done');
  }

  fail(thrown: unknown): void {
    this.failure = thrown;
    this.stopFollowers(thrown);
    this.enter('failed');
  }

  /** What came was wrong: whoever reads it begins anew, too. */
  restart(): void {
    this.begun++;
    this.bytes = 0;
    this.stopFollowers(RESTARTED);
    this.enter('waiting');
  }

  /** Something to read it from, when there is. Errors: why it will not come. */
  async source(): Promise<string | GrowingFile> {
    for (;;) {
      if (this.phase === 'done') return this.finalPath();
      if (this.phase === 'failed') throw this.failure;
      if (this.phase === 'open') {
        const file = new GrowingFile(this.path, this.size);
        file.advance(this.bytes);
        this.followers.add(file);
        return file;
      }
      await this.changed.promise;
    }
  }

  private stopFollowers(reason: unknown): void {
    for (const file of this.followers) file.fail(reason);
    this.followers.clear();
  }

  private enter(phase: ComingBlob['phase']): void {
    this.phase = phase;
    this.changed.resolve();
    this.changed = Promise.withResolvers<void>();
  }
}
