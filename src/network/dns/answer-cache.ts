import { type Question, TYPE } from './message.ts';

/** Answers kept for one sandbox. Clients that vary the letters' case, or ask at random, do not make it grow. */
const MOST_ENTRIES = 256;
/** Octets of a query that is kept. */
const LONGEST_QUERY = 128;

interface Entry {
  answer: Buffer;
  /** The records as they stand in the answer: where the first begins, how long each is, how many there are. */
  at: number;
  size: number;
  count: number;
}

/**
 * Answers by what was asked, octet for octet after the id. Where an answer has several records of one length (addresses of
 * one family), each asker finds another one first.
 */
export class AnswerCache {
  private readonly entries = new Map<string, Entry>();

  /** The answer to a query, with its id, in memory of its own. */
  get(query: Buffer): Buffer | undefined {
    if (query.length > LONGEST_QUERY) return undefined;
    const entry = this.entries.get(query.toString('latin1', 2));
    return entry && take(entry, query);
  }

  /** Keeps an answer to a UDP query, and gives it as `get` will. */
  put(question: Question, answer: Buffer): Buffer {
    const { message, end, type } = question;
    // Only these are alike; an answer to ANY has both.
    const count = type === TYPE.A || type === TYPE.AAAA ? answer.readUInt16BE(6) : 0;
    const size = count > 0 ? 12 + answer.readUInt16BE(end + 10) : 0;
    const entry: Entry = { answer, at: end, size, count };
    if (message.length <= LONGEST_QUERY) {
      if (this.entries.size >= MOST_ENTRIES) this.entries.clear();
      this.entries.set(message.toString('latin1', 2), entry);
    }
    return take(entry, message);
  }

  clear(): void {
    this.entries.clear();
  }
}

function take(entry: Entry, query: Buffer): Buffer {
  const { answer, at, size, count } = entry;
  if (count > 1) rotate(answer, at, size, count);
  const taken = Buffer.from(answer);
  taken[0] = query[0]!;
  taken[1] = query[1]!;
  return taken;
}

function rotate(answer: Buffer, at: number, size: number, count: number): void {
  const first = Buffer.from(answer.subarray(at, at + size));
  answer.copyWithin(at, at + size, at + size * count);
  first.copy(answer, at + size * (count - 1));
}
