import { randomInt } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { type Fd, FdWatch, openSocket, receiveDatagrams, sendDatagrams } from '../../sys/index.ts';
import { answersQuestion, type Question } from './message.ts';

/** Questions that share a socket and so its port. */
const QUESTIONS_EACH = 32;

/** Takes a server's reply, whose memory may be kept; undefined when the server cannot be reached. Called once at most. */
export type TakeReply = (reply: Buffer | undefined) => void;

/** Where a name server is, and from which namespace it is asked (the daemon's own when left out). */
export interface Upstream {
  ip: string;
  netns?: string;
}

/**
 * A UDP socket that asks one name server a few questions. It is connected, so that the kernel drops datagrams of others;
 * what comes must have the id, which is random as the port is, and the question that was asked (RFC 5452). It ends itself
 * when nothing is under way.
 */
export class UpstreamSocket {
  private readonly socket: Fd;
  private readonly watch: FdWatch;
  private readonly pending = new Map<number, { question: Question; take: TakeReply }>();
  private readonly ended: () => void;
  private asked = 0;

  /** Errors: those of `openSocket` (ENETUNREACH among them). */
  constructor({ ip, netns }: Upstream, ended: () => void) {
    this.ended = ended;
    const request = { family: isIPv6(ip.replace(/%.*/, '')) ? 6 : 4, type: 'dgram' } as const;
    this.socket = openSocket({ ...request, connect: { ip, port: 53 }, ...(netns ? { netns } : {}) });
    this.watch = new FdWatch(this.socket.fd, { readable: true }, () => this.receive());
  }

  /** False when it has asked as much as it may. */
  get hasRoom(): boolean {
    return this.asked < QUESTIONS_EACH;
  }

  /** Sends the question as it was asked, under an id of its own. The result stops waiting. */
  ask(question: Question, take: TakeReply): () => void {
    this.asked += 1;
    const id = this.freeId();
    const data = Buffer.from(question.message);
    data.writeUInt16BE(id, 0);
    this.pending.set(id, { question, take });
    sendDatagrams(this.socket, [{ data }]);
    return () => this.drop(id);
  }

  private freeId(): number {
    for (;;) {
      const id = randomInt(0x10000);
      if (!this.pending.has(id)) return id;
    }
  }

  private receive(): void {
    try {
      receiveDatagrams(this.socket, (data) => this.hear(data));
    } catch {
      // ECONNREFUSED and the like: nobody answers there.
      for (const [id, { take }] of [...this.pending]) {
        this.drop(id);
        take(undefined);
      }
    }
  }

  private hear(data: Buffer): void {
    if (data.length < 2) return;
    const id = data.readUInt16BE(0);
    const waiting = this.pending.get(id);
    if (!waiting || !answersQuestion(data, waiting.question, id)) return;
    this.drop(id);
    waiting.take(Buffer.from(data));
  }

  private drop(id: number): void {
    if (!this.pending.delete(id) || this.pending.size > 0) return;
    this.ended();
    this.watch.stop();
    // Whoever drops the last one may stand in the middle of a receive.
    setImmediate(() => this.socket.close());
  }
}
