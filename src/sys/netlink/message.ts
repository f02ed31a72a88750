import { WharfError } from '../../base/index.ts';

/** Flags of a netlink message (netlink(7)). */
export const NLM = {
  REQUEST: 1,
  MULTI: 2,
  ACK: 4,
  REPLACE: 0x100,
  EXCL: 0x200,
  DUMP: 0x300,
  CREATE: 0x400,
} as const;

const HEADER = 16;
const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;

/** Writes one netlink message; attributes are padded to four bytes and nested by callbacks. Integers are little-endian (host order). */
export class MessageWriter {
  private buffer = Buffer.alloc(512);
  private length = HEADER;

  /** The fixed part after the header: `ifinfomsg`, `ifaddrmsg`, `rtmsg`. */
  fixed(bytes: Uint8Array): this {
    this.append(bytes);
    return this;
  }

  bytes(type: number, value: Uint8Array): this {
    const start = this.length;
    this.append(Buffer.alloc(4));
    this.append(value);
    this.buffer.writeUInt16LE(4 + value.length, start);
    this.buffer.writeUInt16LE(type, start + 2);
    return this;
  }

  /** A string with its final NUL. */
  text(type: number, value: string): this {
    if (value.includes('\0')) throw new WharfError('invalid', `a NUL byte in ${JSON.stringify(value)}`);
    return this.bytes(type, Buffer.from(`${value}\0`));
  }

  u8(type: number, value: number): this {
    return this.bytes(type, Buffer.from([value]));
  }

  u16(type: number, value: number): this {
    const bytes = Buffer.alloc(2);
    bytes.writeUInt16LE(value);
    return this.bytes(type, bytes);
  }

  u32(type: number, value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value >>> 0);
    return this.bytes(type, bytes);
  }

  /** An attribute made of attributes. `flagged` sets NLA_F_NESTED, which some attributes require and old ones lack. */
  nest(type: number, fill: (writer: this) => void, flagged = false): this {
    const start = this.length;
    this.append(Buffer.alloc(4));
    fill(this);
    this.buffer.writeUInt16LE(this.length - start, start);
    this.buffer.writeUInt16LE(flagged ? type | NLA_F_NESTED : type, start + 2);
    return this;
  }

  /** The whole message. */
  finish(type: number, flags: number, sequence: number): Buffer {
    this.buffer.writeUInt32LE(this.length, 0);
    this.buffer.writeUInt16LE(type, 4);
    this.buffer.writeUInt16LE(flags, 6);
    this.buffer.writeUInt32LE(sequence, 8);
    return this.buffer.subarray(0, this.length);
  }

  private append(bytes: Uint8Array): void {
    const padded = (bytes.length + 3) & ~3;
    while (this.length + padded > this.buffer.length) {
      this.buffer = Buffer.concat([this.buffer], this.buffer.length * 2);
    }
    this.buffer.set(bytes, this.length);
    this.length += padded;
  }
}

/** One message of an answer. */
export interface Message {
  type: number;
  flags: number;
  sequence: number;
  payload: Buffer;
}

/** Splits what one receive gave into messages; a truncated rest is `corrupt`. */
export function parseMessages(data: Buffer): Message[] {
  const messages: Message[] = [];
  eachMessage(data, (type, start, end) => {
    const head = start - HEADER;
    messages.push({
      type,
      flags: data.readUInt16LE(head + 6),
      sequence: data.readUInt32LE(head + 8),
      payload: data.subarray(start, end),
    });
  });
  return messages;
}

/** Visits the messages of one receive: type, start and end of the payload. A truncated rest is `corrupt`. */
export function eachMessage(data: Buffer, visit: (type: number, start: number, end: number) => void): void {
  for (let at = 0; at + HEADER <= data.length; ) {
    const length = data.readUInt32LE(at);
    if (length < HEADER || at + length > data.length) {
      throw new WharfError('corrupt', 'a netlink message is longer than what was received');
    }
    visit(data.readUInt16LE(at + 4), at + HEADER, at + length);
    at += (length + 3) & ~3;
  }
}

/** The attributes by type, flags taken off; of two with one type the last counts. */
export function parseAttributes(data: Buffer): Map<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= data.length; ) {
    const length = data.readUInt16LE(at);
    if (length < 4 || at + length > data.length) break;
    attributes.set(data.readUInt16LE(at + 2) & NLA_TYPE_MASK, data.subarray(at + 4, at + length));
    at += (length + 3) & ~3;
  }
  return attributes;
}

/** A NUL-terminated string of an attribute. */
export function attributeText(value: Buffer | undefined): string | undefined {
  if (!value) return undefined;
  const end = value.indexOf(0);
  return value.toString('utf8', 0, end < 0 ? value.length : end);
}
