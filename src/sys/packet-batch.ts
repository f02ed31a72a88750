import { lastErrno } from './errno.ts';
import { libcFunction } from './libc.ts';
import { lengthOf, type MessageSlots, makeSlots, setNameLength, wasTruncated } from './message-slots.ts';

/** Packets taken by one call: enough to make the call cheap, few enough that other connections get their turn. */
const BATCH = 16;
/** conmon's packets have at most 8193 bytes. */
const SLOT = 16 * 1024;
const MSG_DONTWAIT = 0x40;

/** `recvmmsg(2)` without a timeout. */
export const recvmmsgCall = libcFunction<[number, Buffer, number, number, null]>(
  'int recvmmsg(int fd, void *messages, uint count, int flags, void *timeout)',
);

/** One for all connections of the thread, as it is empty again when a call returns. */
let shared: MessageSlots | undefined;

/** What one receive brought. */
export interface PacketBatch {
  /** Packets of their own memory; they may be kept. */
  packets: Buffer[];
  /** The peer is done, and nothing will come any more. */
  ended: boolean;
  /** The errno of a failure; 0 when there is none. EAGAIN is none. */
  errno: number;
  /** A packet was longer than a slot and lost its end. */
  truncated: boolean;
}

const EAGAIN = 11;
const EINTR = 4;

/** Takes the packets that wait on a socket, at most a batch, with one call and one copy. Never blocks. */
export function receivePackets(fd: number): PacketBatch {
  shared ??= makeSlots(BATCH, SLOT);
  const batch: PacketBatch = { packets: [], ended: false, errno: 0, truncated: false };
  // A longer name than there is room for must not be asked for.
  for (let at = 0; at < BATCH; at++) setNameLength(shared, at, 0);
  const count = recvmmsgCall(fd, shared.headers, BATCH, MSG_DONTWAIT, null);
  if (count < 0) {
    const errno = lastErrno();
    if (errno !== EAGAIN && errno !== EINTR) batch.errno = errno;
    return batch;
  }
  let total = 0;
  for (let at = 0; at < count; at++) total += lengthOf(shared, at);
  const memory = Buffer.allocUnsafe(total);
  for (let at = 0, offset = 0; at < count; at++) {
    const length = lengthOf(shared, at);
    if (wasTruncated(shared, at)) batch.truncated = true;
    if (length === 0) {
      batch.ended = true;
      break;
    }
    shared.data.copy(memory, offset, at * SLOT, at * SLOT + length);
    batch.packets.push(memory.subarray(offset, offset + length));
    offset += length;
  }
  return batch;
}
