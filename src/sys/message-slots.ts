import { addressOf } from './libc.ts';

const SIZE_OF_MMSGHDR = 64;
const SIZE_OF_IOVEC = 16;
/** `struct sockaddr_in6`, the longest address used, is 28 bytes long. */
export const NAME_SLOT = 32;

// Offsets in `struct mmsghdr` (recvmmsg(2)), in words of 32 bits.
const WORDS = SIZE_OF_MMSGHDR / 4;
const NAME_LENGTH = 2;
const FLAGS = 12;
const LENGTH = 14;
const MSG_TRUNC = 0x20;

/** Memory for recvmmsg(2) or sendmmsg(2): a fixed number of messages, each with its part of one buffer and an address. */
export interface MessageSlots {
  data: Buffer;
  names: Buffer;
  headers: Buffer;
  /** The headers by words, which is several times faster than `Buffer`'s methods. */
  words: Uint32Array;
  /** The vectors by words: four of each, address and length. */
  vectors: Uint32Array;
}

/** Makes slots of `size` bytes. Memory is taken by the kernel's first write to it. */
export function makeSlots(count: number, size: number): MessageSlots {
  const [data, names] = [Buffer.allocUnsafeSlow(count * size), Buffer.alloc(count * NAME_SLOT)];
  const [headers, vectors] = [Buffer.alloc(count * SIZE_OF_MMSGHDR), Buffer.alloc(count * SIZE_OF_IOVEC)];
  const bases = { data: addressOf(data), names: addressOf(names), vectors: addressOf(vectors) };
  for (let at = 0; at < count; at++) {
    vectors.writeBigUInt64LE(bases.data + BigInt(at * size), at * SIZE_OF_IOVEC);
    vectors.writeBigUInt64LE(BigInt(size), at * SIZE_OF_IOVEC + 8);
    headers.writeBigUInt64LE(bases.names + BigInt(at * NAME_SLOT), at * SIZE_OF_MMSGHDR);
    headers.writeBigUInt64LE(bases.vectors + BigInt(at * SIZE_OF_IOVEC), at * SIZE_OF_MMSGHDR + 16);
    headers.writeBigUInt64LE(1n, at * SIZE_OF_MMSGHDR + 24);
  }
  const words = (bytes: Buffer) => new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  return { data, names, headers, words: words(headers), vectors: words(vectors) };
}

/** Length of the message that was received in a slot. */
export function lengthOf(slots: MessageSlots, at: number): number {
  return slots.words[at * WORDS + LENGTH] as number;
}

/** True when the message was longer than its slot. */
export function wasTruncated(slots: MessageSlots, at: number): boolean {
  return ((slots.words[at * WORDS + FLAGS] as number) & MSG_TRUNC) !== 0;
}

/** Length of the address in a slot: as received, or as it is to be used. */
export function nameLengthOf(slots: MessageSlots, at: number): number {
  return slots.words[at * WORDS + NAME_LENGTH] as number;
}

/** Sets the room for an address to be received, or the length of one to be used. */
export function setNameLength(slots: MessageSlots, at: number, length: number): void {
  slots.words[at * WORDS + NAME_LENGTH] = length;
}

/** Sets the length of the message to be sent from a slot. */
export function setLength(slots: MessageSlots, at: number, length: number): void {
  slots.vectors[at * 4 + 2] = length;
}

/** Where the header of a slot starts, for a call that begins with it. */
export function headersFrom(slots: MessageSlots, at: number): Buffer {
  return at === 0 ? slots.headers : slots.headers.subarray(at * SIZE_OF_MMSGHDR);
}
