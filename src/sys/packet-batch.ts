import { lastErrno } from './errno.ts';
import { addressOf, libcFunction } from './libc.ts';

/** Packets taken by one call: enough to make the call cheap, few enough that other connections get their turn. */
const BATCH = 16;
/** conmon's packets have at most 8193 bytes. */
const SLOT = 16 * 1024;
const SIZE_OF_MMSGHDR = 64;
const SIZE_OF_IOVEC = 16;
const MSG_DONTWAIT = 0x40;
const MSG_TRUNC = 0x20;

const recvmmsgCall = libcFunction<[number, Buffer, number, number, null]>(
  'int recvmmsg(int fd, void *messages, uint count, int flags, void *timeout)',
);

/** The memory of recvmmsg(2): one for all connections of the thread, as it is empty again when a call returns. */
interface Slots {
  data: Buffer;
  vectors: Buffer;
  headers: Buffer;
}

let shared: Slots | undefined;

function makeSlots(): Slots {
  const slots: Slots = {
    data: Buffer.allocUnsafeSlow(BATCH * SLOT),
    vectors: Buffer.alloc(BATCH * SIZE_OF_IOVEC),
    headers: Buffer.alloc(BATCH * SIZE_OF_MMSGHDR),
  };
  const [data, vectors] = [addressOf(slots.data), addressOf(slots.vectors)];
  for (let at = 0; at < BATCH; at++) {
    slots.vectors.writeBigUInt64LE(data + BigInt(at * SLOT), at * SIZE_OF_IOVEC);
    slots.vectors.writeBigUInt64LE(BigInt(SLOT), at * SIZE_OF_IOVEC + 8);
    slots.headers.writeBigUInt64LE(vectors + BigInt(at * SIZE_OF_IOVEC), at * SIZE_OF_MMSGHDR + 16);
    slots.headers.writeBigUInt64LE(1n, at * SIZE_OF_MMSGHDR + 24);
  }
  return slots;
}

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
  shared ??= makeSlots();
  const { data, headers } = shared;
  const batch: PacketBatch = { packets: [], ended: false, errno: 0, truncated: false };
  const count = recvmmsgCall(fd, headers, BATCH, MSG_DONTWAIT, null);
  if (count < 0) {
    const errno = lastErrno();
    if (errno !== EAGAIN && errno !== EINTR) batch.errno = errno;
    return batch;
  }
  let total = 0;
  for (let at = 0; at < count; at++) total += headers.readUInt32LE(at * SIZE_OF_MMSGHDR + 56);
  const memory = Buffer.allocUnsafe(total);
  for (let at = 0, offset = 0; at < count; at++) {
    const length = headers.readUInt32LE(at * SIZE_OF_MMSGHDR + 56);
    if (headers.readUInt32LE(at * SIZE_OF_MMSGHDR + 48) & MSG_TRUNC) batch.truncated = true;
    if (length === 0) {
      batch.ended = true;
      break;
    }
    data.copy(memory, offset, at * SLOT, at * SLOT + length);
    batch.packets.push(memory.subarray(offset, offset + length));
    offset += length;
  }
  return batch;
}
