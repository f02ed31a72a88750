/** Streams as the eight bytes of header number them. */
const STREAM_NUMBER = { stdin: 0, stdout: 1, stderr: 2 } as const;

/** Below this, header and data are copied into one buffer: cheaper than two writes. */
const COPY_LIMIT = 16 * 1024;

/** One frame of a multiplexed stream: stream number, three zero bytes, big-endian length, data. */
export function frame(stream: 'stdout' | 'stderr', data: Uint8Array): Uint8Array[] {
  const whole = data.length <= COPY_LIMIT;
  const head = Buffer.allocUnsafe(whole ? 8 + data.length : 8);
  head.writeUInt32BE(STREAM_NUMBER[stream] * 0x0100_0000, 0);
  head.writeUInt32BE(data.length, 4);
  if (!whole) return [head, data];
  head.set(data, 8);
  return [head];
}
