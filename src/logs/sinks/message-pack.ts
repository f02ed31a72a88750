/** A value as MessagePack knows it; text may come as bytes, since what a container prints need not be UTF-8. */
export type Packable = string | number | Buffer | EventTime | Packable[] | Map<string, Packable>;

/** Time of an event with nanoseconds: extension type 0 of the forward protocol. */
export class EventTime {
  readonly nanos: bigint;

  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

const SECOND = 1_000_000_000n;

/** Bytes of a value (msgpack specification). Numbers are whole and not below 0. */
export function packMessage(value: Packable): Buffer {
  const parts: Buffer[] = [];
  pack(value, parts);
  return Buffer.concat(parts);
}

function pack(value: Packable, parts: Buffer[]): void {
  if (typeof value === 'string') packText(Buffer.from(value), parts);
  else if (Buffer.isBuffer(value)) packText(value, parts);
  else if (typeof value === 'number') parts.push(packNumber(value));
  else if (value instanceof EventTime) parts.push(packTime(value.nanos));
  else if (Array.isArray(value)) {
    parts.push(head(value.length, 0x90, 15, 0xdc));
    for (const one of value) pack(one, parts);
  } else {
    parts.push(head(value.size, 0x80, 15, 0xde));
    for (const [key, one] of value) {
      pack(key, parts);
      pack(one, parts);
    }
  }
}

function packText(bytes: Buffer, parts: Buffer[]): void {
  const { length } = bytes;
  if (length > 31 && length <= 0xff) parts.push(Buffer.from([0xd9, length]));
  else parts.push(head(length, 0xa0, 31, 0xda));
  parts.push(bytes);
}

/** A length in the byte itself, in two bytes, or in four. */
function head(length: number, fixed: number, most: number, sixteen: number): Buffer {
  if (length <= most) return Buffer.from([fixed | length]);
  const bytes = Buffer.alloc(length <= 0xffff ? 3 : 5);
  bytes[0] = length <= 0xffff ? sixteen : sixteen + 1;
  if (length <= 0xffff) bytes.writeUInt16BE(length, 1);
  else bytes.writeUInt32BE(length, 1);
  return bytes;
}

function packNumber(value: number): Buffer {
  if (value < 0x80) return Buffer.from([value]);
  const bytes = Buffer.alloc(5);
  bytes[0] = 0xce;
  bytes.writeUInt32BE(value, 1);
  return bytes;
}

function packTime(nanos: bigint): Buffer {
  const bytes = Buffer.alloc(10);
  bytes[0] = 0xd7;
  bytes.writeUInt32BE(Number(nanos / SECOND), 2);
  bytes.writeUInt32BE(Number(nanos % SECOND), 6);
  return bytes;
}

/**
 * The text that follows a key in a packed map of texts, such as `{"ack": "…"}`; undefined while it is not whole yet, or
 * when it is another map. Only short maps with short keys and texts are read: that is all a server answers.
 */
export function packedText(bytes: Buffer, key: string): { text: string; length: number } | undefined {
  if (bytes[0] !== 0x81) return undefined;
  const name = textAt(bytes, 1);
  if (name?.text !== key) return undefined;
  return textAt(bytes, name.length);
}

function textAt(bytes: Buffer, at: number): { text: string; length: number } | undefined {
  const first = bytes[at];
  if (first === undefined) return undefined;
  const long = first === 0xd9;
  const size = long ? bytes[at + 1] : first >> 5 === 5 ? first & 31 : undefined;
  if (size === undefined) return undefined;
  const start = at + (long ? 2 : 1);
  if (bytes.length < start + size) return undefined;
  return { text: bytes.toString('utf8', start, start + size), length: start + size };
}
