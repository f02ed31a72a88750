import { type Clock, shortId } from '../../base/index.ts';
import type { Descriptor } from '../../oci/index.ts';
import { progressBar, type Report } from '../images/index.ts';
import type { FetchWatcher } from './fetch.ts';

/** Milliseconds between two lines of one layer. */
const STEP_MS = 100;

/** The lines of one layer, as Docker writes them. */
export class LayerProgress implements FetchWatcher {
  private readonly report: Report;
  private readonly clock: Pick<Clock, 'monotonic'>;
  private readonly id: string;
  private readonly total: number;
  private lastLine = Number.NEGATIVE_INFINITY;
  private extracted = 0;
  private arrived = false;

  constructor(report: Report, clock: Pick<Clock, 'monotonic'>, blob: Descriptor) {
    this.report = report;
    this.clock = clock;
    this.id = shortId(blob.digest);
    this.total = blob.size;
  }

  exists(): void {
    this.say('Already exists');
  }

  pulling(): void {
    this.say('Pulling fs layer');
  }

  waiting(): void {
    this.say('Waiting');
  }

  progress(bytes: number): void {
    if (bytes < this.total && !this.due()) return;
    this.count('Downloading', bytes);
  }

  retrying(seconds: number): void {
    this.say(`Retrying in ${seconds} second${seconds === 1 ? '' : 's'}`);
  }

  verifying(): void {
    this.say('Verifying Checksum');
  }

  downloaded(): void {
    this.arrived = true;
    this.say('Download complete');
    if (this.extracted > 0) this.count('Extracting', this.extracted);
  }

  /** Bytes of the blob that are unpacked; nothing is said of it while it still comes in. */
  extracting(bytes: number): void {
    this.extracted = bytes;
    if (this.arrived && (bytes === this.total || this.due())) this.count('Extracting', bytes);
  }

  pulled(): void {
    this.say('Pull complete');
  }

  private due(): boolean {
    const now = this.clock.monotonic();
    if (now - this.lastLine < STEP_MS) return false;
    this.lastLine = now;
    return true;
  }

  private say(status: string): void {
    this.report({ status, progressDetail: {}, id: this.id });
  }

  private count(status: string, current: number): void {
    const progressDetail = { current, total: this.total };
    this.report({ status, progressDetail, progress: progressBar(current, this.total), id: this.id });
  }
}
