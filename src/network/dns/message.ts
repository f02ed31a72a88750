/** Record types and classes of RFC 1035, 3596 and 6891 that are told apart here. */
export const TYPE = { A: 1, PTR: 12, AAAA: 28, OPT: 41, ANY: 255 } as const;
export const CLASS_IN = 1;

/** Response codes (RFC 1035 section 4.1.1; BADVERS: RFC 6891). */
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;

/** Octets of a message's header. */
export const HEADER = 12;
/** What a client takes over UDP that says nothing about it (RFC 1035 section 2.3.4). */
const PLAIN_UDP = 512;
/** What we take, as we tell clients: it passes every link unfragmented. Local answers may be as long as the client says, up to `MOST_UDP`. */
const OUR_UDP = 1232;
const MOST_UDP = 4096;

const FLAG_RESPONSE = 0x8000;
const FLAG_TRUNCATED = 0x0200;
const FLAG_RECURSION_DESIRED = 0x0100;
const FLAG_RECURSION_AVAILABLE = 0x0080;
const MASK_OPCODE = 0x7800;

/** A question as it was asked. */
export interface Question {
  /** The message as received; its memory is the reader's. */
  message: Buffer;
  /** Lower case, without the dot at the end, octets as latin1; `undefined` when a label holds a dot, which no name of ours has. */
  name: string | undefined;
  type: number;
  class: number;
  /** Where the question section ends. */
  end: number;
  /** The client's EDNS (RFC 6891): its version, how much it takes, and its DO flag. */
  edns?: { version: number; size: number; dnssec: boolean };
}

/** One record of an answer: what stands after the name, which is the question's. */
export interface Answer {
  type: number;
  data: Uint8Array;
}

/** How many octets a client takes over UDP. */
export function udpLimit({ edns }: Pick<Question, 'edns'>): number {
  return edns ? Math.min(Math.max(edns.size, PLAIN_UDP), MOST_UDP) : PLAIN_UDP;
}

/**
 * Reads a query. A number is the response code for what cannot be answered; `undefined` means that silence is right, as for
 * a response, which answered would make two servers talk for ever. No name is followed anywhere: a first name cannot be compressed.
 */
export function parseQuestion(message: Buffer): Question | number | undefined {
  if (message.length < HEADER) return undefined;
  const flags = message.readUInt16BE(2);
  if (flags & FLAG_RESPONSE) return undefined;
  if (flags & MASK_OPCODE) return RCODE.NOTIMP;
  const records = message.readUInt16BE(6) + message.readUInt16BE(8);
  if (message.readUInt16BE(4) !== 1 || records > 0) return RCODE.FORMERR;
  const nameEnd = skipName(message, HEADER, false);
  if (nameEnd === undefined || nameEnd + 4 > message.length) return RCODE.FORMERR;
  const question: Question = {
    message,
    name: readName(message),
    type: message.readUInt16BE(nameEnd),
    class: message.readUInt16BE(nameEnd + 2),
    end: nameEnd + 4,
  };
  return readOptions(question) ? question : RCODE.FORMERR;
}

/** The response to `question`. Answers that do not fit in `limit` octets are left out, and the message says so (TC). */
export function respond(
  question: Question,
  code: number,
  answers: readonly Answer[],
  ttl: number,
  limit: number,
): Buffer {
  const { message, end, edns } = question;
  const optionsSize = edns ? 11 : 0;
  let [size, count] = [end, 0];
  for (const { data } of answers) {
    if (size + 12 + data.length + optionsSize > limit) break;
    size += 12 + data.length;
    count += 1;
  }
  const response = Buffer.alloc(size + optionsSize);
  message.copy(response, 0, 0, end);
  writeHeader(response, message.readUInt16BE(2), code, count < answers.length);
  response.writeUInt16BE(count, 6);
  response.writeUInt16BE(edns ? 1 : 0, 10);
  let at = end;
  for (const { type, data } of answers.slice(0, count)) {
    at = response.writeUInt16BE(0xc000 | HEADER, at);
    at = response.writeUInt16BE(type, at);
    at = response.writeUInt16BE(CLASS_IN, at);
    at = response.writeUInt32BE(ttl, at);
    at = response.writeUInt16BE(data.length, at);
    response.set(data, at);
    at += data.length;
  }
  if (edns) writeOptions(response, at, code, edns.dnssec);
  return response;
}

/** The response to a query that could not be read: a header with the code, and nothing else. */
export function respondHeader(message: Buffer, code: number): Buffer {
  const response = Buffer.alloc(HEADER);
  message.copy(response, 0, 0, 4);
  writeHeader(response, message.readUInt16BE(2), code, false);
  return response;
}

/** The reply without its records, for a client that cannot take it whole and is to ask over TCP. */
export function truncate(reply: Buffer, question: Question): Buffer {
  const cut = Buffer.from(reply.subarray(0, question.end));
  cut.writeUInt16BE(cut.readUInt16BE(2) | FLAG_TRUNCATED, 2);
  cut.fill(0, 6, HEADER);
  return cut;
}

/** True when a server's message answers this question with this id: it is a response, and the question comes back octet for octet, save for letters' case. */
export function answersQuestion(reply: Buffer, question: Question, id: number): boolean {
  const { message, end } = question;
  if (reply.length < end || reply.readUInt16BE(0) !== id || !(reply.readUInt16BE(2) & FLAG_RESPONSE))
    return false;
  if (reply.readUInt16BE(4) !== 1) return false;
  for (let at = HEADER; at < end - 4; at++)
    if (lowerCase(reply[at]!) !== lowerCase(message[at]!)) return false;
  return reply.compare(message, end - 4, end, end - 4, end) === 0;
}

export function isTruncated(reply: Buffer): boolean {
  return (reply.readUInt16BE(2) & FLAG_TRUNCATED) !== 0;
}

export function responseCode(reply: Buffer): number {
  return reply.readUInt16BE(2) & 0x000f;
}

/** A domain name in wire form, uncompressed; `undefined` when it has none. `name` has octets as latin1. */
export function encodeName(name: string): Buffer | undefined {
  const labels = name.split('.');
  if (name.length > 253 || labels.some((label) => label.length === 0 || label.length > 63)) return undefined;
  const parts = labels.flatMap((label) => [Buffer.of(label.length), Buffer.from(label, 'latin1')]);
  return Buffer.concat([...parts, Buffer.of(0)]);
}

function writeHeader(response: Buffer, queryFlags: number, code: number, truncated: boolean): void {
  const kept = queryFlags & (MASK_OPCODE | FLAG_RECURSION_DESIRED);
  const flags =
    FLAG_RESPONSE | FLAG_RECURSION_AVAILABLE | kept | (truncated ? FLAG_TRUNCATED : 0) | (code & 0x0f);
  response.writeUInt16BE(flags, 2);
  // A code above 15 needs EDNS for its upper half; the question is left out with the other unreadable ones.
  response.writeUInt16BE(response.length > HEADER ? 1 : 0, 4);
  response.fill(0, 6, HEADER);
}

/** The OPT record: the class is a size, the TTL holds the code's upper half, the version 0 and the flags (RFC 6891 section 6.1.3). */
function writeOptions(response: Buffer, at: number, code: number, dnssec: boolean): void {
  response.writeUInt8(0, at);
  response.writeUInt16BE(TYPE.OPT, at + 1);
  response.writeUInt16BE(OUR_UDP, at + 3);
  response.writeUInt8(code >> 4, at + 5);
  response.writeUInt8(0, at + 6);
  response.writeUInt16BE(dnssec ? 0x8000 : 0, at + 7);
  response.writeUInt16BE(0, at + 9);
}

/** Finds the OPT record among the additional ones. False when there are two, or the records run over the message's end. */
function readOptions(question: Question): boolean {
  const { message } = question;
  let at = question.end;
  for (let left = message.readUInt16BE(10); left > 0; left--) {
    const rest = skipName(message, at, true);
    if (rest === undefined || rest + 10 > message.length) return false;
    const end = rest + 10 + message.readUInt16BE(rest + 8);
    if (end > message.length) return false;
    if (message.readUInt16BE(rest) === TYPE.OPT) {
      if (question.edns || rest !== at + 1) return false;
      question.edns = {
        version: message.readUInt8(rest + 5),
        size: message.readUInt16BE(rest + 2),
        dnssec: (message.readUInt16BE(rest + 6) & 0x8000) !== 0,
      };
    }
    at = end;
  }
  return true;
}

/** Where a name ends that starts at `start`. A pointer ends it where pointers may be; where it leads is not asked. */
function skipName(message: Buffer, start: number, pointers: boolean): number | undefined {
  for (let at = start; at < message.length && at - start < 255; ) {
    const length = message[at]!;
    if (length === 0) return at + 1;
    if ((length & 0xc0) === 0xc0 && pointers) return at + 2;
    if (length & 0xc0) return undefined;
    at += 1 + length;
  }
  return undefined;
}

function readName(message: Buffer): string | undefined {
  const labels: string[] = [];
  for (let at = HEADER; message[at] !== 0; at += 1 + message[at]!)
    labels.push(message.toString('latin1', at + 1, at + 1 + message[at]!));
  return labels.some((label) => label.includes('.')) ? undefined : labels.join('.').toLowerCase();
}

function lowerCase(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet;
}
