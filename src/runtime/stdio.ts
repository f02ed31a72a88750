import { SeqpacketConnection } from '../sys/index.ts';
import type { OutputFrame, TaskStdio } from './types.ts';

/** Packets waiting for the reader before the connection is held back. */
const HIGH_WATER = 256;

/** Attaches to a monitor's socket (conmon: one SEQPACKET packet is a stream byte, 2 or 3, and data). */
export function attachStdio(path: string): TaskStdio {
  const connection = SeqpacketConnection.connect(path);
  const queue: OutputFrame[] = [];
  let ended = false;
  let wake: (() => void) | undefined;
  connection.onMessage((packet) => {
    queue.push({ stream: packet[0] === 3 ? 'stderr' : 'stdout', data: packet.subarray(1) });
    if (queue.length >= HIGH_WATER) connection.pause();
    wake?.();
  });
  connection.onClose(() => {
    ended = true;
    wake?.();
  });
  async function* output(): AsyncGenerator<OutputFrame> {
    for (;;) {
      const frame = queue.shift();
      if (frame) {
        if (queue.length === 0) connection.resume();
        yield frame;
      } else if (ended) return;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        wake = undefined;
      }
    }
  }
  return {
    output: output(),
    async write(data) {
      await connection.send(data);
    },
    closeInput: () => connection.shutdownWrite(),
    close: () => connection.close(),
  };
}
