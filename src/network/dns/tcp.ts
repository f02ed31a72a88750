import type { Socket } from 'node:net';
import type { Answerer } from './listener.ts';

/** A connection on which nothing is asked or taken for this long is ended (RFC 7766 section 6.2.3: a few seconds). */
const IDLE_MS = 10_000;
/** No question needs more octets, with all its options. */
const LONGEST_QUESTION = 4096;
/** Answers that wait for the client to take them; more questions are not read meanwhile. */
const MOST_WAITING = 128 * 1024;
/** Questions of one connection with others. */
const MOST_ASKED = 32;

/** Answers the questions of one connection, each with its length before it (RFC 1035 section 4.2.2), in the order in which answers come. */
export function serveConnection(socket: Socket, answerer: Answerer): void {
  const received = new Framed(LONGEST_QUESTION);
  let asked = 0;
  const send = (answer: Buffer) => {
    if (!socket.writable) return;
    socket.write(frame(answer));
    if (socket.writableLength > MOST_WAITING) socket.pause();
  };
  const hear = (message: Buffer) => {
    const answer = answerer.now(message, true);
    if (answer === undefined) return;
    if (Buffer.isBuffer(answer)) return send(answer);
    asked += 1;
    if (asked >= MOST_ASKED) socket.pause();
    void answerer.later(answer, true).then((late) => {
      asked -= 1;
      send(late);
      if (socket.writableLength <= MOST_WAITING) socket.resume();
    });
  };
  socket.setTimeout(IDLE_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('drain', () => {
    if (asked < MOST_ASKED) socket.resume();
  });
  socket.on('data', (chunk) => {
    if (!received.push(chunk, hear)) socket.destroy();
  });
}

/** A message as it is sent over TCP. */
export function frame(message: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(2 + message.length);
  framed.writeUInt16BE(message.length, 0);
  message.copy(framed, 2);
  return framed;
}

/** Finds the messages in what came over TCP. */
export class Framed {
  private readonly longest: number;
  private rest: Buffer = Buffer.alloc(0);

  constructor(longest: number) {
    this.longest = longest;
  }

  /** Takes more octets and hands out the messages that are whole now. False when one is longer than is allowed. */
  push(chunk: Buffer, each: (message: Buffer) => void): boolean {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    while (this.rest.length >= 2) {
      const length = this.rest.readUInt16BE(0);
      if (length > this.longest) return false;
      if (this.rest.length < 2 + length) break;
      each(this.rest.subarray(2, 2 + length));
      this.rest = this.rest.subarray(2 + length);
    }
    return true;
  }
}
