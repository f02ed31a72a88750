import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { openPidfd, pidfdExited, SeqpacketConnection } from '../sys/index.ts';
import type { OutputFrame, TaskStdio } from './types.ts';

/** Packets waiting for the reader before the connection is held back. conmon's have at most 8 KiB. */
const HIGH_WATER = 256;
const STDERR = 3;

/**
 * Attaches to a monitor's socket (conmon: one SEQPACKET packet is a stream byte, 2 or 3, and data). conmon waits for a
 * reader that does not take its packets, and the process with it, so that nothing is lost. When the process has ended,
 * what is left in its pipes is taken at once: a reader that stands still must not keep the monitor from telling the exit.
 */
export function attachStdio(path: string): TaskStdio {
  return new MonitorStdio(path);
}

class MonitorStdio implements TaskStdio {
  readonly output: AsyncIterable<OutputFrame>;
  private readonly connection: SeqpacketConnection;
  private readonly directory: string;
  private queue: OutputFrame[] = [];
  private taken = 0;
  private ended = false;
  private letGo = false;
  private wake: (() => void) | undefined;
  /** Set from the moment the reader fell behind: ends the wait for the process. */
  private waiting: AbortController | undefined;
  private unbounded = false;

  constructor(path: string) {
    this.directory = dirname(path);
    this.connection = SeqpacketConnection.connect(path);
    this.connection.onMessage((packet) => this.receive(packet));
    this.connection.onClose(() => this.end());
    this.output = this.frames();
  }

  async write(data: Uint8Array): Promise<void> {
    await this.connection.send(data);
  }

  closeInput(): void {
    this.connection.shutdownWrite();
  }

  close(options: { keepInput?: boolean } = {}): void {
    if (!options.keepInput) {
      this.connection.close();
      return;
    }
    this.letGo = true;
    this.end();
    this.connection.resume();
  }

  private receive(packet: Buffer): void {
    if (this.letGo) return;
    this.queue.push({ stream: packet[0] === STDERR ? 'stderr' : 'stdout', data: packet.subarray(1) });
    if (this.queue.length - this.taken >= HIGH_WATER && !this.unbounded) this.holdBack();
    this.wake?.();
  }

  private holdBack(): void {
    this.connection.pause();
    if (this.waiting) return;
    this.waiting = new AbortController();
    const release = () => {
      this.unbounded = true;
      this.connection.resume();
    };
    processEnd(this.directory, this.waiting.signal).then(release, () => undefined);
  }

  private end(): void {
    this.ended = true;
    this.waiting?.abort();
    if (this.letGo) this.queue = [];
    this.wake?.();
  }

  private async *frames(): AsyncGenerator<OutputFrame> {
    for (;;) {
      const frame = this.queue[this.taken];
      if (frame) {
        this.taken++;
        if (this.taken === this.queue.length) this.emptied();
        yield frame;
      } else if (this.ended) return;
      else {
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
        this.wake = undefined;
      }
    }
  }

  private emptied(): void {
    this.queue = [];
    this.taken = 0;
    this.connection.resume();
  }
}

/** Resolves when the process of the monitor in a directory has ended. Rejects when the signal fires. */
async function processEnd(directory: string, signal: AbortSignal): Promise<void> {
  // conmon writes it before it lets the process run, and so before there can be output.
  const pid = Number(readFileSync(`${directory}/pid`, 'utf8'));
  let pidfd: ReturnType<typeof openPidfd>;
  try {
    pidfd = openPidfd(pid);
  } catch {
    return;
  }
  try {
    await pidfdExited(pidfd, signal);
  } finally {
    pidfd.close();
  }
}
