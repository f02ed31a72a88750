import type { Logger } from '../../base/index.ts';
import type { SandboxRecord } from '../types.ts';
import { AnswerCache } from './answer-cache.ts';
import type { Forwarder } from './forwarder.ts';
import { type Answerer, Listener } from './listener.ts';
import { answerLocally } from './local.ts';
import { parseQuestion, type Question, RCODE, respond, respondHeader, udpLimit } from './message.ts';
import type { NameTable } from './names.ts';

/** Questions of one sandbox that others are asked at a time; the Engine has the same bound. */
const MOST_FORWARDED = 1024;
const LONGEST_MESSAGE = 0xffff;

/** The name server of one sandbox: answers what the table knows at once, and asks others about the rest. */
export class SandboxServer implements Answerer {
  readonly containerId: string;
  readonly netnsPath: string;
  readonly listener: Listener;
  /** Who is asked about other names; undefined when nobody may be. */
  forwarder: Forwarder | undefined;
  private readonly sandboxId: string;
  private readonly table: NameTable;
  private readonly cache = new AnswerCache();
  private cachedVersion = 0;
  private forwarded = 0;

  /** Errors: those of `Listener`. */
  constructor({ sandboxId, containerId, netnsPath }: SandboxRecord, table: NameTable, log: Logger) {
    this.sandboxId = sandboxId;
    this.containerId = containerId;
    this.netnsPath = netnsPath;
    this.table = table;
    this.listener = new Listener(netnsPath, this, log);
  }

  /** Ends at once; `shared` goes on for others. */
  close(shared: Forwarder): void {
    this.listener.close();
    if (this.forwarder !== shared) this.forwarder?.close();
  }

  now(message: Buffer, overTcp: boolean): Buffer | Question | undefined {
    if (this.cachedVersion !== this.table.version) {
      this.cache.clear();
      this.cachedVersion = this.table.version;
    }
    return (overTcp ? undefined : this.cache.get(message)) ?? this.answer(message, overTcp);
  }

  async later(question: Question, overTcp: boolean): Promise<Buffer> {
    if (!this.forwarder || this.forwarded >= MOST_FORWARDED) return refusal(question, RCODE.SERVFAIL);
    this.forwarded += 1;
    try {
      return await this.forwarder.ask(question, overTcp);
    } finally {
      this.forwarded -= 1;
    }
  }

  private answer(message: Buffer, overTcp: boolean): Buffer | Question | undefined {
    const question = parseQuestion(message);
    if (question === undefined) return undefined;
    if (typeof question === 'number') return respondHeader(message, question);
    if (question.edns && question.edns.version > 0) return refusal(question, RCODE.BADVERS);
    const limit = overTcp ? LONGEST_MESSAGE : udpLimit(question);
    const known = answerLocally(this.table, this.sandboxId, question, limit);
    if (known) return overTcp ? known : this.cache.put(question, known);
    if (!this.forwarder) return refusal(question, RCODE.REFUSED);
    return { ...question, message: Buffer.from(message) };
  }
}

function refusal(question: Question, code: number): Buffer {
  return respond(question, code, [], 0, udpLimit(question));
}
