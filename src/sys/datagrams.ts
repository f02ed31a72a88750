import { errnoName, lastErrno, systemError } from './errno.ts';
import { type Fd, fdNumber } from './fd.ts';
import { libcFunction } from './libc.ts';
import {
  headersFrom,
  lengthOf,
  type MessageSlots,
  makeSlots,
  NAME_SLOT,
  nameLengthOf,
  setLength,
  setNameLength,
} from './message-slots.ts';
import { recvmmsgCall } from './packet-batch.ts';

/** Datagrams taken or given by one call. */
const BATCH = 64;
/** No UDP datagram is longer. */
const SLOT = 64 * 1024;
/** Calls before others get their turn in the event loop. */
const CALLS = 4;
const MSG_DONTWAIT = 0x40;

const sendmmsgCall = libcFunction<[number, Buffer, number, number]>(
  'int sendmmsg(int fd, void *messages, uint count, int flags)',
);

/** Slots not in use, by direction. A listener that receives in its turn takes other ones. */
const idleOf = { receiving: [] as MessageSlots[], sending: [] as MessageSlots[] };

function withSlots<T>(direction: keyof typeof idleOf, work: (slots: MessageSlots) => T): T {
  const idle = idleOf[direction];
  const slots = idle.pop() ?? makeSlots(BATCH, SLOT);
  try {
    return work(slots);
  } finally {
    idle.push(slots);
  }
}

/**
 * Takes the datagrams that wait on a socket, at most 256, and gives the number. `peer` is the raw address of the sender, to
 * be given to `sendDatagrams` as it is. Both buffers are valid during the call only. Errors: the errno that the kernel keeps
 * for a connected socket (ECONNREFUSED: nobody listens there), once.
 */
export function receiveDatagrams(socket: Fd | number, each: (data: Buffer, peer: Buffer) => void): number {
  return withSlots('receiving', (slots) => {
    const fd = fdNumber(socket);
    let received = 0;
    for (let call = 0; call < CALLS; call++) {
      for (let at = 0; at < BATCH; at++) setNameLength(slots, at, NAME_SLOT);
      const count = recvmmsgCall(fd, slots.headers, BATCH, MSG_DONTWAIT, null);
      if (count < 0) {
        const errno = lastErrno();
        if (!AGAIN.includes(errnoName(errno))) throw systemError('recvmmsg', `descriptor ${fd}`, errno);
        break;
      }
      for (let at = 0; at < count; at++) {
        const [data, name] = [at * SLOT, at * NAME_SLOT];
        const peer = slots.names.subarray(name, name + nameLengthOf(slots, at));
        each(slots.data.subarray(data, data + lengthOf(slots, at)), peer);
      }
      received += count;
      if (count < BATCH) break;
    }
    return received;
  });
}

const AGAIN = ['EAGAIN', 'EINTR'];

/** A datagram to be sent; `peer` is a raw address, left out on a connected socket. */
export interface Datagram {
  data: Uint8Array;
  peer?: Uint8Array;
}

/**
 * Sends datagrams, and gives how many are done with: fewer than all when the socket has no room now (writable tells when it
 * has). One that cannot be sent (no route, forbidden by a rule, too long) is dropped, as the network would drop it.
 * Errors: EBADF, ENOTSOCK.
 */
export function sendDatagrams(socket: Fd | number, datagrams: readonly Datagram[]): number {
  return withSlots('sending', (slots) => {
    const fd = fdNumber(socket);
    for (let first = 0; first < datagrams.length; first += BATCH) {
      const count = Math.min(BATCH, datagrams.length - first);
      for (let at = 0; at < count; at++) fill(slots, at, datagrams[first + at] as Datagram);
      const sent = sendFilled(fd, slots, count);
      if (sent < count) return first + sent;
    }
    return datagrams.length;
  });
}

function fill(slots: MessageSlots, at: number, { data, peer }: Datagram): void {
  const length = Math.min(data.length, SLOT);
  slots.data.set(length < data.length ? data.subarray(0, length) : data, at * SLOT);
  setLength(slots, at, length);
  if (peer) slots.names.set(peer, at * NAME_SLOT);
  setNameLength(slots, at, peer?.length ?? 0);
}

function sendFilled(fd: number, slots: MessageSlots, count: number): number {
  for (let done = 0; done < count; ) {
    const sent = sendmmsgCall(fd, headersFrom(slots, done), count - done, MSG_DONTWAIT);
    if (sent > 0) {
      done += sent;
      continue;
    }
    const errno = lastErrno();
    const name = errnoName(errno);
    if (name === 'EAGAIN' || name === 'ENOBUFS') return done;
    if (name === 'EBADF' || name === 'ENOTSOCK') throw systemError('sendmmsg', `descriptor ${fd}`, errno);
    if (name !== 'EINTR') done += 1;
  }
  return count;
}
